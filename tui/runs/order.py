"""In which order the runs are listed: by any column of the list, either way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tui.runs.record import RunRow
from tui.runs.states import state_word
from warehouse.records.names import short_name

_KEYS: dict[str, Callable[[RunRow], Any]] = {
    "run": lambda row: row.name.lower(),
    "model": lambda row: short_name(row.model).lower(),
    "method": lambda row: row.method.lower(),
    "levels": lambda row: (len(row.levels), row.levels),
    "tasks": lambda row: (len(row.tasks), row.tasks),
    "state": state_word,
    "progress": lambda row: (row.share, row.done),
    "started": lambda row: -row.created_at.timestamp(),
    "left": lambda row: float("inf") if row.seconds_left is None else row.seconds_left,
}


@dataclass(frozen=True, slots=True)
class Order:
    """The newest first, until another column is chosen; the same one again turns the order round."""

    column: str = "started"
    reverse: bool = False

    def chosen(self, column: str) -> Order:
        return Order(column, not self.reverse if column == self.column else False)

    def sorted(self, rows: Iterable[RunRow]) -> list[RunRow]:
        return sorted(rows, key=_KEYS[self.column], reverse=self.reverse)

    @property
    def arrow(self) -> str:
        return "▾" if self.reverse else "▴"


def names(rows: Sequence[RunRow]) -> dict[str, str]:
    """Each run's name by its id; of runs called alike, with the end of the id, which tells them apart."""
    times = Counter(row.name for row in rows)
    return {
        row.run_id: f"{row.name} ·{row.run_id.rpartition('-')[2]}" if times[row.name] > 1 else row.name for row in rows
    }
