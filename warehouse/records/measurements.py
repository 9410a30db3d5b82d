"""Speed, energy and memory of one width: facts beside the metrics, imported or of a profile."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.records.values import Count, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementFacts:
    """One quantity of one workload. `mean`, `std`, `min` and `max` are over `n` repetitions.

    The fields from `phase` on are a profile's; imports, and what has no such thing, leave them out. `round` counts the
    times that all levels were gone through, from 1; `phase` is prefill, decode, load or both. `engine` answers, in the
    `mode` eager or graphs, with the weights at their `width`, exact or padded, of `padded_size` neurons a layer.
    `prompt_tokens` go in and `new_tokens` come out of each of `batch_size` requests. `half_width` is that of the 95 %
    interval of the mean, in the unit. `limit_share` is the share of the rate that binds, `limited_by` copy or matrix.
    `source` is what measured it; `note` why the mean is missing, or what weakens it.
    """

    workload: str
    batch_size: Count | None
    quantity: str
    unit: str
    mean: float | None
    std: float | None = None
    min: float | None = None
    max: float | None = None
    n: Count | None = None
    round: Count | None = None
    phase: str | None = None
    engine: str | None = None
    mode: str | None = None
    width: str | None = None
    padded_size: Size | None = None
    prompt_tokens: Count | None = None
    new_tokens: Count | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    half_width: float | None = None
    limit_share: float | None = None
    limited_by: str | None = None
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """What a profile's machine was measured to do before the levels: the limits that their figures are held against.

    `copy_rate` is in bytes a second, read and written ones counted, `matrix_rate` in floating-point operations a
    second, both in `dtype`; `idle_power` and `power_limit` in watts, `temperature` in °C, `clock` and `clock_max` in
    MHz.
    `energy_missing` says why there is no energy, `rates_missing` why there are no rates.
    """

    device: str
    dtype: str | None
    timer: str | None
    copy_rate: float | None
    matrix_rate: float | None
    idle_power: float | None
    power_limit: float | None
    temperature: float | None
    clock: float | None
    clock_max: float | None
    throttled: str | None
    energy_source: str | None
    energy_missing: str | None
    rates_missing: str | None
