"""Which metric stands for a task: the rule of the `headline_metrics` view, for results that are still in a journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any, Protocol, TypeVar

from warehouse.store import statements


class Metric(Protocol):
    """What is asked of a metric, in a journal or in the database."""

    @property
    def metric(self) -> str: ...

    @property
    def filter(self) -> str: ...


M = TypeVar("M", bound=Metric)


@dataclass(frozen=True, slots=True)
class Headlines:
    """`settled` names metric and filter of a task; `preferences` ranks metrics for the other tasks."""

    settled: Mapping[str, tuple[str, str]]
    preferences: Mapping[str, int]

    def choose(self, task: str, metrics: Sequence[M]) -> M | None:
        """The task's headline among some of its metrics; None where there are none."""
        return min(metrics, key=lambda one: self._rank(task, one.metric, one.filter), default=None)

    def _rank(self, task: str, name: str, by: str) -> tuple[Any, ...]:
        preference = self.preferences.get(name, inf)
        return ((name, by) != self.settled.get(task), preference, name, by != "none", by != "strict-match", by)


@cache
def headlines() -> Headlines:
    """The rule as the SQL files have it. Imports duckdb and takes a tenth of a second the first time."""
    import duckdb

    with duckdb.connect() as con:
        for name in ("benchmarks", "metric_order"):
            con.execute(statements.view(name))
        settled = con.execute(statements.query("headlines")).fetchall()
        preferences = con.execute(statements.query("metric_preferences")).fetchall()
    return Headlines({task: (metric, by) for task, metric, by in settled}, dict(preferences))
