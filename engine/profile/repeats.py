"""A figure repeated until its interval is narrow, or until a bound that says why it is not."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

NARROW = 0.01
"""Half the width of the 95 % interval of a mean, as a share of the mean, that is aimed at."""
LEAST = 5
# Student's t at 97.5 % for 1 … 30 degrees of freedom; beyond, 1.96 + 2.4 / n is within 0.1 % of it.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Summary:
    """`half_width` is that of the 95 % interval of the mean, by Student's t; None of a single value."""

    mean: float
    std: float | None
    min: float
    max: float
    p50: float
    p90: float
    p99: float
    half_width: float | None
    n: int
    note: str | None = None

    def scaled(self, factor: float) -> Summary:
        """The same in another unit."""
        return Summary(
            self.mean * factor,
            None if self.std is None else self.std * factor,
            self.min * factor,
            self.max * factor,
            self.p50 * factor,
            self.p90 * factor,
            self.p99 * factor,
            None if self.half_width is None else self.half_width * factor,
            self.n,
            self.note,
        )


def t95(freedom: int) -> float:
    """Student's t that leaves 2.5 % above."""
    return _T[freedom - 1] if freedom <= len(_T) else 1.96 + 2.4 / freedom


def summary(values: Sequence[float], note: str | None = None) -> Summary:
    """Raises:
    ValueError: there are no values.
    """
    if not values:
        raise ValueError("nothing was measured")
    p50, p90, p99 = np.percentile(values, [50, 90, 99]).tolist()
    std = statistics.stdev(values) if len(values) > 1 else None
    half = None if std is None else t95(len(values) - 1) * std / math.sqrt(len(values))
    return Summary(statistics.fmean(values), std, min(values), max(values), p50, p90, p99, half, len(values), note)


def repeated(
    measure: Callable[[], Sequence[float]],
    *,
    seconds: float,
    now: Callable[[], float],
    check: Callable[[], None] = lambda: None,
) -> Summary:
    """Measure again and again until the interval is within 1 % of the mean, or `seconds` have gone by.

    Args:
        measure: measures once more; one value or several, such as one for each step.
        now: seconds, of a clock that only goes forward.
        check: called between two measurements; may raise to stop.
    """
    begin = now()
    values = list(measure())
    while True:
        found = summary(values)
        if found.n >= LEAST and found.half_width is not None and found.half_width <= NARROW * found.mean:
            return found
        if now() - begin >= seconds:
            half = found.half_width
            wide = "a single value has no interval" if half is None else f"±{100 * half / found.mean:.1f} %"
            return summary(values, f"{wide} after {found.n} repeats: the bound of {seconds:.3g} s came first")
        check()
        values += measure()
