"""Repeats on a simulated clock: until the interval is narrow, or the bound says why it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from scipy import stats

from engine.profile.repeats import repeated, summary, t95


def clocked(values: Iterable[float]) -> tuple[Callable[[], list[float]], Callable[[], float]]:
    """What measures one value after the other, each of which takes as many seconds as it says."""
    time, left = [0.0], iter(values)

    def measure() -> list[float]:
        value = next(left)
        time[0] += value
        return [value]

    return measure, lambda: time[0]


def test_what_does_not_vary_is_measured_five_times() -> None:
    measure, now = clocked([0.01] * 100)
    found = repeated(measure, seconds=1, now=now)
    assert (found.n, found.mean, found.half_width, found.note) == (5, pytest.approx(0.01), pytest.approx(0), None)


def test_the_interval_is_within_one_percent_when_it_ends_by_itself() -> None:
    drawn = np.random.default_rng(0).normal(1, 0.05, 1000)
    measure, now = clocked(drawn)
    found = repeated(measure, seconds=1e9, now=now)
    assert found.half_width is not None
    assert found.half_width <= 0.01 * found.mean
    before = summary(list(drawn[: found.n - 1]))
    assert before.half_width is not None
    assert before.half_width > 0.01 * before.mean  # and not a repeat later


def test_a_bound_says_how_wide_the_interval_still_is() -> None:
    measure, now = clocked([1.0, 3.0] * 10)
    found = repeated(measure, seconds=10, now=now)
    assert found.n == 6  # 1, 4, 5, 8, 9 and 12 seconds
    assert found.note is not None
    assert "after 6 repeats: the bound of 10 s came first" in found.note
    measure, now = clocked([20.0])
    alone = repeated(measure, seconds=10, now=now)
    assert (alone.n, alone.half_width) == (1, None)
    assert alone.note is not None
    assert alone.note.startswith("a single value has no interval")


def test_a_summary_is_scipys_and_numpys() -> None:
    values = [1.0, 2.0, 4.0, 8.0]
    found = summary(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert found.half_width == pytest.approx((high - low) / 2, rel=1e-3)
    assert (found.p50, found.p90, found.p99) == tuple(np.percentile(values, [50, 90, 99]))
    assert found.scaled(1000).half_width == pytest.approx(500 * (high - low), rel=1e-3)


@pytest.mark.parametrize("freedom", [1, 5, 30, 31, 100, 5000])
def test_students_t_is_scipys(freedom: int) -> None:
    assert t95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-3)


def test_a_stop_is_heard_between_repeats() -> None:
    measure, now = clocked([1.0, 2.0] * 50)

    def check() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        repeated(measure, seconds=1e9, now=now, check=check)
