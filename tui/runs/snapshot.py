"""What the feed publishes: everything known of the runs at one moment, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tui.runs.record import RunDetail, RunRow
from warehouse.records.reading import Reading


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`detail` is of the watched run.

    `timings` are seconds a cell by (model, task, limit), `startups` the seconds before a model's first cell without
    `lookings`, those of looking at its neurons on text: all of the latest run that tells them. `driven` are the sweeps
    that somebody carries out.
    """

    runs: tuple[RunRow, ...] = ()
    detail: RunDetail | None = None
    readings: tuple[Reading, ...] = ()
    timings: Mapping[tuple[str, str, float | None], float] = field(default_factory=dict)
    startups: Mapping[str, float] = field(default_factory=dict)
    lookings: Mapping[tuple[str, tuple[str, ...]], float] = field(default_factory=dict)
    driven: frozenset[str] = frozenset()
    problem: str | None = None
    loaded: bool = False
