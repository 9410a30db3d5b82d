"""A row of levels to switch on and off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

LEVELS = ("0", "10", "20", "30", "40", "50", "60")
_CELL = 5  # characters of one toggle


class LevelRow(Widget, can_focus=True):
    """Percentages to remove; 0 is the unpruned model, against which the others are compared."""

    DEFAULT_CSS = """
    LevelRow { height: 1; width: 36; }
    LevelRow:focus { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", show=False),
        Binding("right,l", "move(1)", show=False),
        Binding("space,enter", "switch", "Switch level", show=False, tooltip="Switch the level under the cursor"),
    ]

    class Changed(Message):
        """Other levels are on now."""

    def __init__(self, chosen: Iterable[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.chosen = {level for level in chosen if level in LEVELS}
        self._cursor = 0

    def render(self) -> Text:
        text = Text(no_wrap=True)
        for index, level in enumerate(LEVELS):
            on = level in self.chosen
            style = "bold" if on else self.app.theme_variables["neutral"]
            if self.has_focus and index == self._cursor:
                style += " reverse"
            text.append(f"{'●' if on else '○'} {level}".ljust(_CELL - 1), style=style)
            text.append(" ")
        return text

    def action_move(self, step: int) -> None:
        self._cursor = (self._cursor + step) % len(LEVELS)
        self.refresh()

    def action_switch(self) -> None:
        self.chosen ^= {LEVELS[self._cursor]}
        self.refresh()
        self.post_message(self.Changed())

    def on_click(self, event: Click) -> None:
        if 0 <= event.x < _CELL * len(LEVELS):
            self._cursor = event.x // _CELL
            self.action_switch()
