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

from tui.exporting import Sheet

_KINDS = {
    "md": "Markdown",
    "csv": "CSV",
    "parquet": "Parquet",
    "svg": "picture of the screen (SVG)",
}


class ExportScreen(ModalScreen[Path | None]):
    """Answers with the file that was written. `sheet` None leaves only the picture; `picture` is the SVG."""

    DEFAULT_CSS = """
    ExportScreen OptionList, ExportScreen OptionList:focus { height: auto; margin: 1 0; border: none; padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, sheet: Sheet | None, picture: str, stem: str) -> None:
        super().__init__()
        self._sheet, self._picture, self._stem = sheet, picture, stem

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
        name.value = str(Path(name.value or self._stem).with_suffix(f".{event.option_id}"))

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
        try:
            path.write_bytes(self._content(kind))
        except OSError as error:
            self.notify(f"{path} cannot be written: {error.strerror}. Choose another place.", severity="error")
            return
        self.dismiss(path)

    def _content(self, kind: str) -> bytes:
        if kind == "svg" or self._sheet is None:
            return self._picture.encode()
        match kind:
            case "md":
                return self._sheet.markdown().encode()
            case "csv":
                return self._sheet.csv().encode()
            case _:
                return self._sheet.parquet()
