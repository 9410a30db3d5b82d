"""Jump mode: a letter on every field and pane of a screen, and the letter goes there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Label, Static

_LETTERS = "asdfghjklqwertyuiopzxcvbnm1234567890"


class JumpScreen(ModalScreen[Widget | None]):
    """Answers with the field chosen. Those that are out of sight, as in a form that scrolls, are listed at the foot."""

    CSS = """
    JumpScreen { background: $background 40%; align: left top; }
    JumpScreen .letter {
        position: absolute; width: 3; height: 1; background: $accent; color: $background; text-style: bold;
    }
    JumpScreen #elsewhere { dock: bottom; height: auto; padding: 0 1; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(self, of: Screen[Any]) -> None:
        super().__init__()
        self._targets = dict(zip(_LETTERS, targets(of), strict=False))
        self._places = {letter: _place(of, widget) for letter, widget in self._targets.items()}

    def compose(self) -> ComposeResult:
        for letter, place in self._places.items():
            if place is not None:
                label = Static(f" {letter} ", classes="letter", markup=False)
                label.styles.offset = (place.x, place.y)
                yield label
        accent = f"bold {self.app.theme_variables['accent']}"
        line = Text("A letter goes to its field, esc stays here.")
        for letter, place in self._places.items():
            if place is None:
                line.append(f"  {letter}", accent).append(f" {name_of(self._targets[letter])}")
        yield Static(line, id="elsewhere")

    def on_key(self, event: events.Key) -> None:
        if event.character is not None and (widget := self._targets.get(event.character)) is not None:
            event.stop()
            self.dismiss(widget)


def jump(app: App[Any]) -> None:
    """Ask where to go on the screen that is shown."""

    def go(widget: Widget | None) -> None:
        if widget is not None:
            widget.focus()

    if isinstance(app.screen, JumpScreen):
        return
    if targets(app.screen):
        app.push_screen(JumpScreen(app.screen), go)
    else:
        app.notify("There is no field or pane to go to here.")


def targets(screen: Screen[Any]) -> Sequence[Widget]:
    """What can have the focus, in the order in which tab goes through it."""
    return screen.focus_chain


def name_of(widget: Widget) -> str:
    """What a field is called on the screen: its title, the label before it, or its own name."""
    if widget.border_title:
        return str(widget.border_title)
    siblings = list(widget.parent.children) if isinstance(widget.parent, Widget) else []
    before = siblings[: siblings.index(widget)] if widget in siblings else []
    if before and isinstance(before[-1], Label):
        return str(before[-1].render()).strip()
    return (widget.id or type(widget).__name__).replace("_", " ")


def _place(screen: Screen[Any], widget: Widget) -> Region | None:
    """Where a widget begins, as far as it is in sight."""
    seen = screen.find_widget(widget).visible_region
    return seen if seen.area else None
