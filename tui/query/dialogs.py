"""What Query asks and shows above itself: which statement, a name for one, one value in full."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from tui.query.result_table import shown
from tui.query.store import QueryStore
from tui.shell.choose import ChooseOne
from warehouse.text import printable


class NameIt(ModalScreen[str | None]):
    """Asks for a query's name."""

    CSS_PATH = "query.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Keep this query as"
            yield Input(placeholder="a name", compact=True)
            yield Label("[b]enter[/b] save · [b]esc[/b] cancel", classes="muted")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)


class WholeValue(ModalScreen[None]):
    """One value in full."""

    CSS_PATH = "query.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Back")]

    def __init__(self, column: str, value: Any) -> None:
        super().__init__()
        self._column = column
        self._value = value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="whole") as dialog:
            dialog.border_title = Text(self._column).markup
            yield Static(Text(printable(self._value) if isinstance(self._value, str) else shown(self._value)))
            yield Label("[b]esc[/b] back", classes="muted")


def choose_saved(store: QueryStore) -> ChooseOne:
    """Answers the statement."""
    return ChooseOne("Saved queries", [(one.sql, one.title) for one in store.all_saved()])


def choose_past(store: QueryStore) -> ChooseOne:
    """Answers the statement."""
    return ChooseOne("What ran before, newest first", [(sql, " ".join(sql.split())[:200]) for sql in store.history])
