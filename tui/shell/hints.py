"""The keys that do something now, as the footer and the help tell them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key
from textual.screen import Screen


@dataclass(frozen=True, slots=True)
class Hint:
    """A key by its name, and what it does; `node` is whose it is. One that is not enabled does nothing now."""

    node: DOMNode
    binding: Binding
    key: str
    enabled: bool
    tooltip: str


def hints(screen: Screen[Any]) -> Iterator[Hint]:
    """The keys of a screen, of what has the focus there, and of the app; none that would be typed into a field."""
    for node, binding, enabled, tooltip in screen.active_bindings.values():
        if binding.key == "enter" and (own := _enter_of(screen)) is not None and not _has_words(binding):
            node, binding, tooltip = screen, own, own.tooltip  # a table hands it on to its screen
        # One that would be typed is told by its other name, as ? by f1, if that is another key.
        names = (screen.app.get_key_display(binding), format_key(binding.key))
        key = next((name for name in names if not _is_typed(screen, name)), None)
        if key is not None:
            yield Hint(node, binding, key, enabled, tooltip)


def _enter_of(screen: Screen[Any]) -> Binding | None:
    bindings = screen._bindings.key_to_bindings.get("enter", [])
    return next((one for one in bindings if _has_words(one) and screen.check_action(one.action, ())), None)


def _has_words(binding: Binding) -> bool:
    return binding.show or bool(binding.tooltip)


def _is_typed(screen: Screen[Any], key: str) -> bool:
    focused = screen.focused
    is_character = len(key) == 1 and key.isascii()  # ⏎ and ↓ are names of keys
    return is_character and focused is not None and focused.check_consume_key(key, key)
