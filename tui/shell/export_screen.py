"""Where a table goes: a file of its own kind, the clipboard, or a picture of the screen."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.shell.confirm import ConfirmScreen
from tui.shell.exporting import Sheet
from warehouse.errors import UserError
from warehouse.exporters import outfile

_KINDS = {
    "md": "Markdown",
    "tex": "LaTeX",
    "csv": "CSV",
    "parquet": "Parquet",
    "svg": "picture of the screen (SVG)",
}


class ExportScreen(ModalScreen[Path | None]):
    """Answers with the file that was written. `sheet` None leaves only the picture; `picture` is the SVG."""

    CSS = """
    ExportScreen OptionList, ExportScreen OptionList:focus { height: auto; margin: 1 0; border: none; padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, sheet: Sheet | None, picture: str, stem: str, database: Path) -> None:
        super().__init__()
        self._sheet, self._picture, self._stem, self._database = sheet, picture, stem, database

    def compose(self) -> ComposeResult:
        kinds = _KINDS if self._sheet is not None else {"svg": _KINDS["svg"]}
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Export"
            yield Static(self._sheet.title if self._sheet else "This screen has no table.", markup=False)
            yield OptionList(*(Option(f"{name}  (.{kind})", id=kind) for kind, name in kinds.items()))
            yield Input(value=f"{self._stem}.{next(iter(kinds))}", placeholder="file", compact=True)
            yield Static("enter on a kind saves · tab changes the name", classes="muted")

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        name = self.query_one(Input)
        name.value = f"{_without_kind(name.value) or self._stem}.{event.option_id}"

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self._save()

    def on_input_submitted(self) -> None:
        self._save()

    def _save(self) -> None:
        path = Path(self.query_one(Input).value).expanduser()
        kind = path.suffix.removeprefix(".")
        if kind not in _KINDS or (kind != "svg" and self._sheet is None):
            self.notify(f"{path.name}: end the name in .{', .'.join(_KINDS)}.", severity="error")
            return
        self._write(path, kind)

    def _write(self, path: Path, kind: str, *, replace: bool = False) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._write(path, kind, replace=True)

        try:
            outfile.write(path, self._content(kind), self._database, replace=replace)
        except outfile.TakenError:
            self.app.push_screen(ConfirmScreen("Export", f"{path} exists already.", "Replace"), answered)
        except UserError as error:
            self.notify(str(error), severity="error", markup=False)
        except OSError as error:
            self.notify(f"{path} cannot be written: {error.strerror}. Choose another place.", severity="error")
        else:
            self.dismiss(path)

    def _content(self, kind: str) -> bytes:
        if kind == "svg" or self._sheet is None:
            return self._picture.encode()
        match kind:
            case "md":
                return self._sheet.markdown().encode()
            case "tex":
                return self._sheet.latex().encode()
            case "csv":
                return self._sheet.csv().encode()
            case _:
                return self._sheet.parquet()


def _without_kind(name: str) -> str:
    """The name without the ending that says its kind: other dots are a part of it."""
    stem, dot, kind = name.rpartition(".")
    return stem if dot and kind in _KINDS else name
