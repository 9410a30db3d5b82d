"""The dashboard's screens and the keys that lead to them: a module in `tui/entries` each."""

from __future__ import annotations

from operator import attrgetter

from textual.binding import Binding

from tui.entry import Entry
from warehouse.registry import gathered

SCREENS: tuple[Entry, ...] = tuple(sorted(gathered("tui.entries", "ENTRY"), key=attrgetter("key")))


def keys() -> list[Binding]:
    """They stand in the line at the head, so the one at the foot need not name them."""
    return [
        Binding(entry.key, f"switch_mode('{entry.mode}')", entry.title, show=False, tooltip=entry.words)
        for entry in SCREENS
    ]
