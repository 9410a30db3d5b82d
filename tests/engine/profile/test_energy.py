"""Energy on a simulated clock: counters that tick slowly, wrap, go back or are missing, and power that is sampled."""

from __future__ import annotations

from typing import Literal

import pytest

from engine.profile.energy import (
    Energy,
    EnergySource,
    Power,
    Sample,
    Watching,
    energy_of,
    idle_power,
    mean_power,
    measured_energy,
    tick_seconds,
)


def counter(watts: float, seconds: float, *, every: float, tick: float, start: float = 0.0) -> list[Sample]:
    """Readings of a counter that moves once each `tick`, to what was drawn by then."""
    count = round(seconds / every)
    moments = [round(number * every, 9) for number in range(count + 1)]
    return [(moment, start + watts * tick * int(moment / tick + 1e-9)) for moment in moments]


@pytest.mark.parametrize("tick", [0.02, 0.1, 0.13])
def test_a_slow_counter_makes_no_error_of_a_tick(tick: float) -> None:
    found = mean_power(counter(300, 2.05, every=0.01, tick=tick), "counter")
    assert found.watts == pytest.approx(300, rel=0.02)  # how finely it was read
    ends = counter(300, 2.05, every=0.01, tick=tick)
    if tick == 0.13:  # where both ends of the window alone would be wrong
        assert (ends[-1][1] - ends[0][1]) / 2.05 != pytest.approx(300, rel=0.04)


def test_a_counter_that_hardly_moves_is_missing_with_its_reason() -> None:
    found = mean_power(counter(300, 1.0, every=0.02, tick=0.3), "counter")
    assert found == Power(None, "the energy counter moved 3 times in 1 s, too seldom to tell")
    assert mean_power([], "counter").watts is None


def test_a_counter_that_wraps_goes_on() -> None:
    whole = counter(50, 2.0, every=0.02, tick=0.02, start=970.0)
    wrapped = [(moment, joules % 1000) for moment, joules in whole]
    assert min(joules for _, joules in wrapped) < 100
    assert mean_power(wrapped, "counter", wraps_at=1000).watts == pytest.approx(50)


def test_a_counter_that_was_set_back_is_missing() -> None:
    before = counter(50, 1.0, every=0.02, tick=0.02, start=500)
    after = [(2 + moment, joules) for moment, joules in counter(50, 1.0, every=0.02, tick=0.02, start=400)]
    back = before + after
    for wraps_at in (None, 1000.0):
        found = mean_power(back, "counter", wraps_at=wraps_at)
        assert found == Power(None, "the energy counter went backwards: the driver was started anew")


def test_sampled_power_is_integrated_by_trapezes() -> None:
    samples = [(0.0, 100.0), (1.0, 200.0), (1.5, 200.0), (2.0, 100.0), (4.0, 100.0)]
    joules = 150 + 100 + 75 + 200
    assert mean_power(samples, "power").watts == pytest.approx(joules / 4)
    assert mean_power(samples[:3], "power").missing == "power was read 3 times, too seldom to tell"


def test_net_energy_is_what_is_drawn_above_idle() -> None:
    assert energy_of(Power(300), 0.5, 100) == Energy(150, 100)
    assert energy_of(Power(300), 0.5, None) == Energy(150, None)
    assert energy_of(Power(None, "no driver"), 0.5, 100) == Energy(None, None, "no driver")


def test_a_window_is_long_enough_for_twelve_ticks() -> None:
    assert tick_seconds(counter(80, 2.0, every=0.01, tick=0.1)) == pytest.approx(0.1, rel=0.02)
    assert tick_seconds(counter(80, 0.1, every=0.01, tick=0.1)) is None
    idle = idle_power(Scripted(counter(80, 2.0, every=0.01, tick=0.1)), seconds=0, sleep=lambda _: None)
    assert idle.window > 0


class Scripted:
    """A source that says one reading after the other, and then ends."""

    name: str = "a counter"
    kind: Literal["counter", "power"] = "counter"
    wraps_at: float | None = None
    every: float = 0.0001

    def __init__(self, samples: list[Sample]) -> None:
        self._left = iter(samples)

    def read(self) -> float:
        try:
            return next(self._left)[1]
        except StopIteration:
            raise OSError("it is gone") from None


def test_a_source_that_goes_away_leaves_its_reason() -> None:
    with Watching(Scripted([(0, 1.0), (1, 2.0)])) as watching:
        watching._thread.join(5)
    assert watching.power() == Power(None, "a counter cannot be read: it is gone")


def test_the_energy_of_one_repetition_is_power_times_its_share_of_the_window() -> None:
    clock = [0.0]

    class Watched(Watching):
        def __enter__(self) -> Watching:
            return self

        def __exit__(self, *_: object) -> None:
            self.samples = counter(200, clock[0], every=0.01, tick=0.02)

    def once() -> None:
        clock[0] += 0.25

    source: EnergySource = Scripted([])
    found = measured_energy(
        source, once, lambda: None, seconds=2, idle=50, now=lambda: clock[0], watch=Watched
    )  # fmt: skip
    assert clock[0] == 2.0
    assert found.raw == pytest.approx(200 * 0.25, rel=0.02)
    assert found.net == pytest.approx(150 * 0.25, rel=0.03)
