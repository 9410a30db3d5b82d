"""Scores of 0 or 1 that the same questions got twice: the difference of the two shares, its interval and its p value.

Both come from one test. A supposed difference is out where the score statistic (Tango 1998, *Equivalence test and
confidence interval for the difference in proportions for the paired-sample design*; at no difference it is McNemar's)
and the likelihood ratio both exceed what chance allows, each taken at the lost share that is likeliest under it. Alone,
either covers too little where nearly all questions change, or nearly none. docs/statistics.md has the exact coverage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

Z95 = 1.959963984540054
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Interval:
    """Ends of the 95 % intervals of (gained - lost) / pairs and two-sided p values of no difference, in one shape."""

    low: Values
    high: Values
    p_value: Values


def interval(gained: ArrayLike, lost: ArrayLike, pairs: ArrayLike) -> Interval:
    """`pairs` questions each, of which `gained` were wrong before and right after and `lost` the other way round."""
    up, down, count = (np.asarray(one, dtype=float) for one in (gained, lost, pairs))
    squared = distance(up, down, count, np.zeros(np.broadcast(up, down, count).shape))
    p_value = np.vectorize(lambda z2: math.erfc(math.sqrt(z2 / 2)), otypes=[float])(squared)
    return Interval(low=_low(up, down, count), high=-_low(down, up, count), p_value=p_value)


def distance(gained: Values, lost: Values, pairs: Values, difference: Values) -> Values:
    """How far a supposed difference is from what was seen, in standard errors, squared."""
    linear = gained + lost - (2 * pairs - gained + lost) * difference
    root = np.sqrt(np.maximum(linear**2 + 8 * pairs * lost * difference * (1 - difference), 0))
    lost_share = np.maximum((linear + root) / (4 * pairs), np.maximum(0, -difference))
    off = gained - lost - pairs * difference
    spread = pairs * (2 * lost_share + difference * (1 - difference))
    score = np.divide(off**2, spread, out=np.where(np.abs(off) < 1e-9, 0.0, np.inf), where=spread > 0)
    ratio = 2 * (
        _times_log(gained, pairs * (lost_share + difference))
        + _times_log(lost, pairs * lost_share)
        + _times_log(pairs - gained - lost, pairs * (1 - 2 * lost_share - difference))
    )
    return np.minimum(score, np.maximum(ratio, 0))


def _low(gained: Values, lost: Values, pairs: Values) -> Values:
    """From what was seen down, in ever smaller steps, as far as the distance allows."""
    seen = (gained - lost) / pairs
    low, step = seen.copy() if seen.ndim else np.array(seen), seen + 1
    for _ in range(_HALVINGS):
        step = step / 2
        low = np.where(distance(gained, lost, pairs, low - step) <= Z95**2, low - step, low)
    return low


def _times_log(seen: Values, expected: Values) -> Values:
    """seen · ln(seen / expected): 0 where nothing was seen, infinite where that was not to be expected at all."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seen > 0, seen * np.log(seen / np.maximum(expected, 0)), 0.0)
