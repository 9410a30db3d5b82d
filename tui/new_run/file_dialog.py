"""Which sweep file is opened or saved."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from tui.shell.confirm import ConfirmScreen


class SweepFileScreen(ModalScreen[Path | None]):
    """Answers with a path: to open, of a file that is there; to save, of one that is not, or may be replaced."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", priority=True)]

    def __init__(self, *, saves: bool, first: str) -> None:
        super().__init__()
        self._saves, self._first = saves, first

    def compose(self) -> ComposeResult:
        there = sorted(str(path) for path in Path().glob("*.toml"))
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Save as a sweep file" if self._saves else "Open a sweep file"
            dialog.border_subtitle = f"enter {'saves' if self._saves else 'opens'} · esc cancels"
            first = self._first if self._saves else next(iter(there), "")
            yield Input(first, placeholder="a path, such as sweep.toml", suggester=SuggestFromList(there), compact=True)
            yield Static(self._said(there), classes="muted", markup=False)

    def _said(self, there: list[str]) -> str:
        if self._saves:
            return "The command `run` does what the file says; its keys are the options."
        if not there:
            return "There is no .toml file in the folder that this was started in."
        more = f" and {len(there) - 6} more" if len(there) > 6 else ""
        return f"Here: {', '.join(there[:6])}{more}"

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value.strip():
            self.notify("Write the path of a file.", severity="warning")
            return
        path = Path(event.value.strip()).expanduser()
        if self._saves and not path.suffix:
            path = path.with_suffix(".toml")
        if self._saves and path.suffix != ".toml":
            self.notify("A sweep file ends in .toml: `run` tells it from a model by that.", severity="warning")
        elif not self._saves and not path.is_file():
            self.notify(f"There is no file {path}.", severity="error")
        elif self._saves and path.exists():

            def answered(yes: bool | None) -> None:
                if yes:
                    self.dismiss(path)

            question = ConfirmScreen("Save as a sweep file", f"{path} is there already. Replace it?", "Replace")
            self.app.push_screen(question, answered)
        else:
            self.dismiss(path)
