"""Speed, energy and memory of one width: facts beside the metrics, imported so far."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.records.values import Count


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementFacts:
    """One quantity of one workload. `mean`, `std`, `min` and `max` are over `n` repetitions."""

    workload: str
    batch_size: Count | None
    quantity: str
    unit: str
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    n: Count | None
