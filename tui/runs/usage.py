"""What a run has used so far, from its events: energy by device, and tokens a second over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from warehouse.records.events import CellProgress, CellStarted
from warehouse.records.reading import Reading

_POINTS = 600
_GAP = 10.0  # seconds; readings further apart are of different attempts, and between them nothing is known


@dataclass(frozen=True, slots=True)
class Usage:
    """`energy` in joules by device, of those that tell their power; `speed` in tokens a second, oldest first."""

    energy: Mapping[str, float] = field(default_factory=dict)
    speed: tuple[float, ...] = ()


class Meter:
    """Adds up what events tell."""

    def __init__(self) -> None:
        self._energy: dict[str, float] = {}
        self._last: dict[str, Reading] = {}
        self._speed: deque[float] = deque(maxlen=_POINTS)
        self._cell: tuple[str, str] | None = None
        self._at: tuple[float, int] = (0.0, 0)  # when the cell was last heard of, and its tokens then

    def samples(self, readings: Iterable[Reading]) -> None:
        """Power between two readings of a device is taken as the mean of both."""
        for reading in readings:
            before = self._last.get(reading.device)
            self._last[reading.device] = reading
            if before is None or before.power is None or reading.power is None:
                continue
            passed = reading.t - before.t
            if 0 < passed <= _GAP:
                joules = passed * (before.power + reading.power) / 2
                self._energy[reading.device] = self._energy.get(reading.device, 0.0) + joules

    def begun(self, t: float, cell: CellStarted) -> None:
        self._cell, self._at = (cell.level, cell.task), (t, 0)

    def progressed(self, t: float, cell: CellProgress) -> None:
        if self._cell == (cell.level, cell.task) and t > self._at[0] and cell.tokens >= self._at[1]:
            self._speed.append((cell.tokens - self._at[1]) / (t - self._at[0]))
        self._cell, self._at = (cell.level, cell.task), (t, cell.tokens)

    def usage(self) -> Usage:
        return Usage(dict(self._energy), tuple(self._speed))
