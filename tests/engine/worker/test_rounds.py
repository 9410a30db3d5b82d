"""Rounds on a simulated clock: every width once in each, in an order drawn anew, and how far a device drifts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from engine.planning.plan import RunPlan
from engine.planning.profiling import ProfilePlan
from engine.profile.counting import Shape
from engine.profile.measuring import Measuring, Setting
from engine.profile.timing import ClockTimer
from engine.worker import profiling
from engine.worker.profiling import Profiling
from warehouse.records.events import Measured
from warehouse.records.level import parse_levels
from warehouse.records.measurements import MeasurementFacts

SLOWER = 0.2  # by so much of itself each second
WIDTHS = {"0": 512, "20": 410, "40": 307, "60": 205}


class Clock:
    """A device that works ever more slowly."""

    now = 0.0

    def work(self, seconds: float) -> None:
        self.now += seconds * self.slowness

    @property
    def slowness(self) -> float:
        return 1 + SLOWER * self.now


class SimulatedLadder:
    width = 512
    full_size = 512

    def set_width(self, width: int, *, pad_to: int) -> None:
        self.width = -(-width // pad_to) * pad_to

    def as_shipped(self) -> AbstractContextManager[None]:
        return nullcontext()


class SimulatedSession:
    """A microsecond for each neuron at each step, ten for a prompt."""

    def __init__(self, clock: Clock, neurons: int, steps: int) -> None:
        self._clock, self._neurons, self._steps = clock, neurons, steps

    def prefill(self) -> None:
        self._clock.work(1e-5 * self._neurons)

    def decode(self, mark: Callable[[], None]) -> None:
        for _ in range(self._steps):
            self._clock.work(1e-6 * self._neurons)
            mark()


class Kept:
    """What a recorder takes down, and when by the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.history = SimpleNamespace(measured={})
        self.times: list[tuple[str, float, MeasurementFacts]] = []

    def record(self, data: Any) -> None:
        if isinstance(data, Measured):
            self.times += [
                (data.level, self._clock.slowness, row)
                for row in data.measurements
                if row.quantity == "time_per_output_token"
            ]

    @contextmanager
    def stage(self, *_: object, **__: object) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, total: None


def test_rounds_show_how_far_a_device_drifted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ladder = Clock(), SimulatedLadder()
    kept = Kept(clock)
    facts: Any = SimpleNamespace(
        timer="simulated", copy_rate=None, matrix_rate=None, energy_source=None, energy_missing=None, rates_missing=None
    )
    closed = SimpleNamespace(close=lambda: None)
    machine: Any = SimpleNamespace(facts=facts, source=None, reading=lambda: None, meter=closed)

    class Simulated(Measuring):
        def _session(self, setting: Setting) -> Any:
            return SimulatedSession(clock, ladder.width, setting.workload.new_tokens - 1)

        def shape(self) -> Shape:
            return Shape(body=1, head=1, cache_values=1, attended=1, itemsize=4)

    monkeypatch.setattr(profiling, "measured_machine", lambda *_, **__: machine)
    monkeypatch.setattr(profiling, "timer_of", lambda device: ClockTimer(device, lambda: clock.now))
    monkeypatch.setattr(profiling, "Measuring", lambda *a, **k: Simulated(*a, **k, now=lambda: clock.now))
    model: Any = torch.nn.Linear(2, 2)
    model.device, model.dtype = torch.device("cpu"), torch.float32
    plan = RunPlan(
        name="test", model="demo", levels=tuple(parse_levels(",".join(WIDTHS))), tasks=(),
        profile=ProfilePlan(prompts=(16,), batches=(1,), new_tokens=5, engines=("ours",), seconds_each=60, seconds=1e6),
    )  # fmt: skip
    variants: Any = [SimpleNamespace(level=level, width=width) for level, width in WIDTHS.items()]
    lm: Any = SimpleNamespace(model=model, max_length=256)
    others: tuple[Any, ...] = (kept, SimpleNamespace(check=lambda: None), lm, ladder, variants)
    run: Any = SimpleNamespace(path=tmp_path)
    assert Profiling(run, plan, *others)() == 0

    orders = [[(level, row.width) for level, _, row in kept.times if row.round == number] for number in (1, 2)]
    assert len(set(orders[0])) == len(orders[0]) == 7  # 512 is a multiple of 64 as it is
    assert sorted(orders[0], key=str) == sorted(orders[1], key=str)
    assert orders[0] != orders[1]
    for level, width in orders[0]:
        [(before, first), (after, second)] = [
            (slowness, row) for of, slowness, row in kept.times if (of, row.width) == (level, width)
        ]
        neurons = first.padded_size or 0
        assert neurons == (WIDTHS[level] if width == "exact" else -(-WIDTHS[level] // 64) * 64)
        for slowness, row in ((before, first), (after, second)):
            assert row.mean == pytest.approx(neurons * 1e-3 * slowness, rel=0.02)
        drift = (second.mean or 0.0) / (first.mean or 1.0) - 1
        assert drift == pytest.approx(after / before - 1, rel=0.15)
        assert drift > 5 * (first.half_width or 0.0) / (
            first.mean or 1.0
        )  # which an interval of one round does not show
