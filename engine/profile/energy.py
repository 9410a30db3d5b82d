"""Energy over a stretch of steady work, from a counter that moves in ticks or from power that is sampled.

A counter is read often and used between its first and its last tick within the stretch: what happens at the edges,
before it moves and after, is left out with its time, so that a slow counter makes no error of a tick. Why without a
library: docs/adr/0013-energy-is-read-directly.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

_LEAST_TICKS = 5
_LEAST_SAMPLES = 5
_WINDOW_TICKS = 12
Sample = tuple[float, float]
"""A moment in seconds, and joules (of a counter) or watts (of power) at it."""


class EnergySource(Protocol):
    """`kind` says what `read` returns: the joules of a counter, or the watts of this moment. `wraps_at` is the number
    of joules at which a counter begins again at zero, None where it does not. `every` is how often to read, in seconds.
    """

    name: str
    kind: Literal["counter", "power"]
    wraps_at: float | None
    every: float

    def read(self) -> float:
        """Raises:
        OSError: the source does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Power:
    """Mean power in watts; None where there is none, and `missing` says why."""

    watts: float | None
    missing: str | None = None


def mean_power(samples: Sequence[Sample], kind: Literal["counter", "power"], wraps_at: float | None = None) -> Power:
    """The mean power over what was read during steady work."""
    return _of_counter(samples, wraps_at) if kind == "counter" else _of_power(samples)


def _of_counter(samples: Sequence[Sample], wraps_at: float | None) -> Power:
    ticks: list[Sample] = []
    turns = 0.0
    for (_, before), (moment, now) in pairwise(samples):
        if now < before:
            # Half a turn between two readings is a counter that was set back, not one that went round.
            if wraps_at is None or before - now < wraps_at / 2:
                return Power(None, "the energy counter went backwards: the driver was started anew")
            turns += wraps_at
        if now != before:
            ticks.append((moment, now + turns))
    if len(ticks) < _LEAST_TICKS:
        span = samples[-1][0] - samples[0][0] if samples else 0.0
        return Power(None, f"the energy counter moved {len(ticks)} times in {span:.2g} s, too seldom to tell")
    (begin, first), (end, last) = ticks[0], ticks[-1]
    return Power((last - first) / (end - begin))


def _of_power(samples: Sequence[Sample]) -> Power:
    if len(samples) < _LEAST_SAMPLES:
        return Power(None, f"power was read {len(samples)} times, too seldom to tell")
    pairs = list(pairwise(samples))
    joules = sum((then - now) * (one + other) / 2 for (now, one), (then, other) in pairs)
    return Power(joules / (samples[-1][0] - samples[0][0]))


class Watching:
    """Reads a source in a thread of its own for as long as the block lasts.

    Attributes:
        samples: what was read.
        problem: why reading ended early; None where it did not.
    """

    def __init__(self, source: EnergySource) -> None:
        self._source = source
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="energy", daemon=True)
        self.samples: list[Sample] = []
        self.problem: str | None = None

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=2.0)

    def power(self) -> Power:
        """Over the block, once it has ended."""
        if self.problem is not None:
            return Power(None, self.problem)
        return mean_power(self.samples, self._source.kind, self._source.wraps_at)

    def _run(self) -> None:
        while True:
            try:
                value = self._source.read()
            except OSError as error:
                self.problem = f"{self._source.name} cannot be read: {error}"
                return
            self.samples.append((time.perf_counter(), value))
            if self._ended.wait(self._source.every):
                return


@dataclass(frozen=True, slots=True)
class Energy:
    """Joules of one repetition: `raw` as drawn, `net` above what the machine draws with nothing to do."""

    raw: float | None
    net: float | None
    missing: str | None = None


def energy_of(power: Power, seconds_each: float, idle: float | None) -> Energy:
    """Of repetitions that took so many seconds each at such a power; without `idle`, in watts, there is no net."""
    if power.watts is None:
        return Energy(None, None, power.missing)
    net = None if idle is None else (power.watts - idle) * seconds_each
    return Energy(power.watts * seconds_each, net)


def measured_energy(
    source: EnergySource,
    once: Callable[[], object],
    finish: Callable[[], object],
    *,
    seconds: float,
    idle: float | None,
    check: Callable[[], None] = lambda: None,
    now: Callable[[], float] = time.perf_counter,
    watch: Callable[[EnergySource], Watching] = Watching,
) -> Energy:
    """The energy of `once`, repeated for `seconds`; `finish` waits until the device has done what it was given."""
    finish()
    begin, count = now(), 0
    with watch(source) as watching:
        while count == 0 or now() - begin < seconds:
            once()
            finish()
            count += 1
            check()
        took = now() - begin
    return energy_of(watching.power(), took / count, idle)


def tick_seconds(samples: Sequence[Sample]) -> float | None:
    """How often a counter moves: the mean time from tick to tick; None where it moved less than twice."""
    moments = [then for (_, before), (then, now) in pairwise(samples) if now != before]
    return (moments[-1] - moments[0]) / (len(moments) - 1) if len(moments) > 1 else None


@dataclass(frozen=True, slots=True)
class Idle:
    """What a device draws with nothing to do, and the seconds that a window has to last for its source to tell."""

    power: Power
    window: float


def idle_power(source: EnergySource, *, seconds: float, sleep: Callable[[float], None] = time.sleep) -> Idle:
    with Watching(source) as watching:
        sleep(seconds)
    tick = tick_seconds(watching.samples) if source.kind == "counter" else None
    return Idle(watching.power(), _WINDOW_TICKS * (tick or source.every))
