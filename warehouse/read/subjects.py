"""What can be shown: a model as it was pruned and repaired, measured under given conditions; and by which metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from warehouse.read.grid import subject
from warehouse.records.names import pruned_with, sweep_called


@dataclass(frozen=True, slots=True)
class Subject:
    """A row of `matrix_models`. `levels` counts the pruned ones; `tuned` tells a model tuned for instructions."""

    model_id: str
    model: str
    tuned: bool | None
    method: str | None
    repair: str
    conditions: str | None
    parameters: int | None
    levels: int
    origins: Sequence[str]
    latest: datetime

    @property
    def key(self) -> str:
        """As the query files name it."""
        return subject(self.model_id, self.method, self.repair, self.conditions)

    @property
    def pruned_with(self) -> str:
        return "–" if self.method is None else pruned_with(self.method, self.repair)


@dataclass(frozen=True, slots=True)
class MeasuredSweep:
    """A row of `matrix_sweeps`: `runs` of it have scores, of so many `models`."""

    sweep: str
    name: str | None
    runs: int
    models: int

    @property
    def called(self) -> str:
        return sweep_called(self.sweep, self.name)


@dataclass(frozen=True, slots=True)
class MetricChoice:
    """A row of `matrix_metrics`: a metric that a benchmark can be shown by, and how many cells have it."""

    metric: str
    filter: str
    cells: int
    with_stderr: bool
