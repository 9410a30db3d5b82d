"""What the feed publishes: everything known of the runs at one moment, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.planning.forecast import Draws
from tui.runs.record import RunDetail, RunRow
from warehouse.records.reading import Reading

if TYPE_CHECKING:
    from engine.gpu import GpuProcess


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`detail` is of the watched run.

    `timings` are seconds a cell by (model, task, limit), `startups` the seconds before a model's first cell without
    `lookings`, those of looking at its neurons on text: all of the latest run that tells them, as `draws`.
    `driven` are the sweeps that somebody carries out.
    """

    runs: tuple[RunRow, ...] = ()
    detail: RunDetail | None = None
    readings: tuple[Reading, ...] = ()
    processes: tuple[GpuProcess, ...] = ()
    timings: Mapping[tuple[str, str, float | None], float] = field(default_factory=dict)
    startups: Mapping[str, float] = field(default_factory=dict)
    lookings: Mapping[tuple[str, tuple[str, ...]], float] = field(default_factory=dict)
    draws: Draws = field(default_factory=Draws)
    driven: frozenset[str] = frozenset()
    problem: str | None = None
    loaded: bool = False
