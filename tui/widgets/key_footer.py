"""The line of keys at the foot of a screen, of which none is ever cut off."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import Resize
from textual.widgets import Footer
from textual.widgets._footer import FooterKey, FooterLabel  # Textual keeps the footer's parts to itself

from tui.hints import Hint, hints

# What gives way first where there is no room, in this order: `?` and ctrl+p tell of it all the same.
_FIRST = ("command_palette", "replay", "delete", "clone")
_LAST = ("new_run", "quit", "switch_mode", "back", "pop_screen", "help")
_KEPT = 4  # of a screen's own hints, before what is offered everywhere gives way
_SHORT = "screens"  # for the names beside a group of keys


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
        shown: dict[str, Hint] = {}
        for hint in hints(self.screen):
            if hint.binding.show:
                shown.setdefault(hint.binding.action, hint)
        fit, short = fitting(list(shown.values()), room)
        for group, members in groupby(fit, lambda hint: hint.binding.group):
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


def fitting(hints: Sequence[Hint], room: int) -> tuple[list[Hint], bool]:
    """The hints for which there is room, and whether their group's label has to be short for that."""
    dropped: set[str] = {"command_palette"} if _width(hints, (), short=False) > room else set()
    short = _width(hints, dropped, short=False) > room
    own = [action for hint in reversed(hints) if (action := _action(hint)) not in (*_FIRST, *_LAST)]
    for action in (*_FIRST, *own[:-_KEPT], _LAST[0], *own[-_KEPT:], *_LAST[1:]):
        if _width(hints, dropped, short=short) <= room:
            break
        dropped.add(action)
    return [hint for hint in hints if _action(hint) not in dropped], short


def _action(hint: Hint) -> str:
    """`app.switch_mode('runs')` is switch_mode; of a screen's own, each is one of its own, whatever they share."""
    name = hint.binding.action.partition("(")[0].rpartition(".")[2]
    return name if name in (*_FIRST, *_LAST) else hint.binding.action


def _width(hints: Sequence[Hint], dropped: Collection[str], *, short: bool) -> int:
    """In columns; of a group, the label comes once, behind its last key."""
    kept = [hint for hint in hints if _action(hint) not in dropped]
    words = [hint.key if hint.binding.group else f"{hint.key} {hint.binding.description}" for hint in kept]
    labels = {hint.binding.group.description for hint in kept if hint.binding.group}
    words += [_SHORT if short else label for label in labels]
    return sum(cell_len(word) + 1 for word in words) - 1
