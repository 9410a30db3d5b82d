"""Screens that are typed into: what would be lost with them, and that their letters are no commands.

A form has a class attribute `TYPED_INTO`: letters and digits that its field does not take do nothing there.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from textual.screen import Screen

COMMANDS = frozenset({"new_run", "copy", "sql", "pause", "switch_mode"})
"""The program's actions that have a letter or a digit as their key, but for the one that closes it, which asks."""


@runtime_checkable
class Unsaved(Protocol):
    def unsaved(self) -> str:
        """What would be lost with the program, in a sentence; empty where nothing would."""
        ...


def is_typed_into(screen: Screen[Any]) -> bool:
    return bool(getattr(screen, "TYPED_INTO", False))
