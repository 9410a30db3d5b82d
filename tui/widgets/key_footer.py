"""The line of keys at the foot of a screen, of which none is ever cut off."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import Resize
from textual.widgets import Footer
from textual.widgets._footer import FooterKey, FooterLabel  # Textual keeps the footer's parts to itself

# What gives way first where there is no room, in this order: `?` and ctrl+p tell of it all the same.
_FIRST = ("command_palette", "replay", "delete", "clone")
_LAST = ("new_run", "quit", "switch_mode", "back", "pop_screen", "help")
_KEPT = 4  # of a screen's own hints, before what is offered everywhere gives way
_SHORT = "screens"  # for the names beside a group of keys


@dataclass(frozen=True, slots=True)
class _Hint:
    """A key with its word; one of a group has none, the group's label comes behind its last key."""

    binding: Binding
    key: str
    enabled: bool
    tooltip: str

    @property
    def action(self) -> str:
        """`app.switch_mode('runs')` is switch_mode."""
        return self.binding.action.partition("(")[0].rpartition(".")[2]

    @property
    def width(self) -> int:
        """In columns, the gap behind it included."""
        word = "" if self.binding.group else f" {self.binding.description}"
        return cell_len(self.key + word) + 1


class KeyFooter(Footer):
    """Textual's footer, without the hints that the terminal is too narrow for."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)
        self._composed_for = 0

    def on_resize(self, event: Resize) -> None:
        if event.size.width != self._composed_for:
            self.call_after_refresh(self.recompose)

    def compose(self) -> ComposeResult:
        self._composed_for = room = self.app.size.width
        shown: dict[str, _Hint] = {}
        for _, binding, enabled, tooltip in self.screen.active_bindings.values():
            if binding.show:
                key = self._display(binding)
                shown.setdefault(binding.action, _Hint(binding, key, enabled, tooltip))
        hints, short = fitting(list(shown.values()), room)
        for group, members in groupby(hints, lambda hint: hint.binding.group):
            for hint in members:
                word = hint.binding.description
                yield FooterKey(
                    hint.binding.key,
                    hint.key,
                    "" if group else word,
                    hint.binding.action,
                    disabled=not hint.enabled,
                    tooltip=hint.tooltip or (word if group else ""),
                ).data_bind(compact=Footer.compact)
            if group:
                yield FooterLabel(_SHORT if short else group.description)

    def _display(self, binding: Binding) -> str:
        """The key as it is shown: one that would be typed into what has the focus is told by its other name."""
        key = self.app.get_key_display(binding)
        focused = self.screen.focused
        if key != binding.key and len(key) == 1 and focused is not None and focused.check_consume_key(key, key):
            return binding.key
        return key


def fitting(hints: Sequence[_Hint], room: int) -> tuple[list[_Hint], bool]:
    """The hints for which there is room, and whether their group's label has to be short for that."""
    dropped: set[str] = {"command_palette"} if _width(hints, (), short=False) > room else set()
    short = _width(hints, dropped, short=False) > room
    own = [hint.action for hint in reversed(hints) if hint.action not in (*_FIRST, *_LAST)]
    for action in (*_FIRST, *own[:-_KEPT], _LAST[0], *own[-_KEPT:], *_LAST[1:]):
        if _width(hints, dropped, short=short) <= room:
            break
        dropped.add(action)
    return [hint for hint in hints if hint.action not in dropped], short


def _width(hints: Sequence[_Hint], dropped: Collection[str], *, short: bool) -> int:
    kept = [hint for hint in hints if hint.action not in dropped]
    labels = {hint.binding.group.description for hint in kept if hint.binding.group}
    return sum(hint.width for hint in kept) + sum(len(_SHORT if short else label) + 1 for label in labels) - 1
