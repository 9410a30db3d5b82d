"""The dashboard's screens: the keys that lead to them, and where their code is, which is imported when it is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from textual.binding import Binding
from textual.screen import Screen


@dataclass(frozen=True, slots=True)
class Entry:
    """A screen under a name of its own; the first one is shown first, by the key 1."""

    mode: str
    module: str
    screen: str
    words: str

    def __call__(self) -> Screen[Any]:
        return getattr(import_module(self.module), self.screen)()


SCREENS = (
    Entry("runs", "tui.runs.runs_screen", "RunsScreen", "Every run, and where it stands"),
    Entry("results", "tui.results.screen", "ResultsScreen", "What changed, as a heat map and as plots"),
    Entry("compare", "tui.compare.screen", "CompareScreen", "Models or methods side by side"),
    Entry("query", "tui.query.screen", "QueryScreen", "Ask the database in SQL"),
    Entry("claims", "tui.claims.screen", "ClaimsScreen", "Which of the study's claims the results support"),
)


def keys() -> list[Binding]:
    """A digit for each screen."""
    group = Binding.Group(" ".join(entry.mode.title() for entry in SCREENS))
    return [
        Binding(str(digit), f"switch_mode('{entry.mode}')", entry.mode.title(), tooltip=entry.words, group=group)
        for digit, entry in enumerate(SCREENS, start=1)
    ]
