"""The line of keys at the foot of a screen, of which none is ever cut off."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.events import Leave, MouseDown, MouseMove
from textual.screen import Screen
from textual.widget import Widget

from tui.shell.hints import Hint, hints

# What gives way first where there is no room, in this order: `?` and ctrl+p tell of it all the same.
_FIRST = ("command_palette", "replay", "delete", "clone")
_LAST = ("new_run", "close", "back", "pop_screen", "help")
_KEPT = 4  # of a screen's own hints, before what is offered everywhere gives way


@dataclass(frozen=True, slots=True)
class Part:
    """A hint, with the columns that it takes."""

    hint: Hint
    left: int
    right: int

    @property
    def key(self) -> str:
        return self.hint.key

    @property
    def words(self) -> str:
        return self.hint.binding.description


class KeyFooter(Widget, can_focus=False):
    """The keys that do something now, as far as the terminal has room for them; a click on one presses it.

    One widget that draws a line, where Textual's footer mounts one for each key, and all of them anew whenever the
    focus moves: that took most of the time between a key and its answer.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "key-footer--key",
        "key-footer--words",
        "key-footer--disabled",
        "key-footer--hover",
    }
    DEFAULT_CSS = """
    KeyFooter {
        dock: bottom;
        height: 1;
        color: $footer-foreground;
        background: $footer-background;
        & > .key-footer--key { color: $footer-key-foreground; background: $footer-key-background; text-style: bold; }
        & > .key-footer--words { color: $footer-description-foreground; background: $footer-description-background; }
        & > .key-footer--disabled { text-style: dim; }
        & > .key-footer--hover { color: $footer-key-foreground; background: $block-hover-background; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Part] = []
        self._hovered: Part | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        if screen.app.app_focus and self.is_attached and screen is self.screen:
            self.call_after_refresh(self.update)

    def on_resize(self) -> None:
        self.update()

    def update(self) -> None:
        """Look again which keys do something."""
        if not self.is_attached:  # the screen was closed meanwhile
            return
        shown: dict[str, Hint] = {}
        for hint in hints(self.screen):
            if hint.binding.show:
                shown.setdefault(hint.binding.action, hint)
        parts = list(_parts(fitting(list(shown.values()), self.app.size.width)))
        if parts != self.parts:
            self.parts, self._hovered = parts, None
            self.refresh()

    def render(self) -> Text:
        key, words, disabled, hover = (
            self.get_component_rich_style(f"key-footer--{name}", partial=True)
            for name in ("key", "words", "disabled", "hover")
        )
        line = Text(no_wrap=True, end="")
        for part in self.parts:
            text = Text.assemble((part.key, key), (f" {part.words}", words))
            if not part.hint.enabled:
                text.stylize(disabled)
            if part is self._hovered:
                text.stylize(hover)
            line.append(" " * (part.left - line.cell_len))
            line.append_text(text)
        return line

    def on_mouse_down(self, event: MouseDown) -> None:
        part = self._at(event.x)
        if part is None:
            return
        if part.hint.enabled:
            self.app.simulate_key(part.hint.binding.key)
        else:
            self.app.bell()

    def on_mouse_move(self, event: MouseMove) -> None:
        self._hover(self._at(event.x))

    def on_leave(self, event: Leave) -> None:
        self._hover(None)

    def _hover(self, part: Part | None) -> None:
        if part is not self._hovered:
            self._hovered = part
            self.tooltip = (part.hint.tooltip or None) if part is not None else None
            self.refresh()

    def _at(self, column: int) -> Part | None:
        return next((part for part in self.parts if part.left <= column < part.right), None)


def _parts(hints: Sequence[Hint]) -> Iterator[Part]:
    left = 0
    for hint in hints:
        right = left + _width_of(hint)
        yield Part(hint, left, right)
        left = right + 1


def fitting(hints: Sequence[Hint], room: int) -> list[Hint]:
    """The hints for which there is room."""
    dropped: set[str] = set()
    own = [action for hint in reversed(hints) if (action := _action(hint)) not in (*_FIRST, *_LAST)]
    for action in (*_FIRST, *own[:-_KEPT], _LAST[0], *own[-_KEPT:], *_LAST[1:]):
        if _width(hints, dropped) <= room:
            break
        dropped.add(action)
    return [hint for hint in hints if _action(hint) not in dropped]


def _action(hint: Hint) -> str:
    """`app.pop_screen` is pop_screen; of a screen's own, each is one of its own, whatever they share."""
    name = hint.binding.action.partition("(")[0].rpartition(".")[2]
    return name if name in (*_FIRST, *_LAST) else hint.binding.action


def _width(hints: Sequence[Hint], dropped: Collection[str]) -> int:
    """In columns, with a space between."""
    return sum(_width_of(hint) + 1 for hint in hints if _action(hint) not in dropped) - 1


def _width_of(hint: Hint) -> int:
    return cell_len(f"{hint.key} {hint.binding.description}".strip())
