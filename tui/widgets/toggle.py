"""Something to switch on and off, told apart by its glyph."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Toggle(Widget, can_focus=True):
    """A line of text behind ● or ○."""

    DEFAULT_CSS = """
    Toggle { height: 1; width: 1fr; }
    Toggle:focus { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "switch", "Switch", show=False, tooltip="Switch it on or off"),
    ]

    value: reactive[bool] = reactive(False)

    class Changed(Message):
        """It is on now, or off."""

        def __init__(self, toggle: Toggle) -> None:
            super().__init__()
            self.toggle = toggle

    def __init__(self, label: str, value: bool, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._label = label
        self.set_reactive(Toggle.value, value)

    def render(self) -> Text:
        style = "bold" if self.value else self.app.theme_variables["neutral"]
        return Text(f"{'●' if self.value else '○'} {self._label}", style=style, no_wrap=True, overflow="ellipsis")

    def action_switch(self) -> None:
        self.value = not self.value
        self.post_message(self.Changed(self))

    def on_click(self, event: Click) -> None:
        self.action_switch()
