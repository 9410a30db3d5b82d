"""What can be shown: a model pruned with a method, measured under given conditions; and by which metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from warehouse.read.grid import subject


@dataclass(frozen=True, slots=True)
class Subject:
    """A row of `matrix_models`. `levels` counts the pruned ones; `tuned` tells a model tuned for instructions."""

    model_id: str
    model: str
    tuned: bool | None
    method: str | None
    conditions: str | None
    parameters: int | None
    levels: int
    origins: Sequence[str]
    latest: datetime

    @property
    def key(self) -> str:
        """As the query files name it."""
        return subject(self.model_id, self.method, self.conditions)


@dataclass(frozen=True, slots=True)
class MetricChoice:
    """A row of `matrix_metrics`: a metric that a benchmark can be shown by, and how many cells have it."""

    metric: str
    filter: str
    cells: int
    with_stderr: bool
