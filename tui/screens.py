"""The dashboard's screens and the keys that lead to them: a module in `tui/entries` each."""

from __future__ import annotations

from operator import attrgetter

from textual.binding import Binding

from tui.entry import Entry
from warehouse.registry import gathered

SCREENS: tuple[Entry, ...] = tuple(sorted(gathered("tui.entries", "ENTRY"), key=attrgetter("key")))


def keys() -> list[Binding]:
    group = Binding.Group(" ".join(entry.title for entry in SCREENS))
    return [
        Binding(entry.key, f"switch_mode('{entry.mode}')", entry.title, tooltip=entry.words, group=group)
        for entry in SCREENS
    ]
