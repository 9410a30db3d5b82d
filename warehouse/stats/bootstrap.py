"""Resampling documents in pairs, for metrics that are no mean of their documents' values.

Perplexities are compared on the log scale, ln(after / before): there a change has an interval that means something even
where one of the two is 10²¹. Of the others it is the difference that is resampled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.stats.metric import Scale, Side
from warehouse.stats.metrics import corpus_statistics

DRAWS = 9999
_SEED = 0
_AT_ONCE = 2_000_000  # documents drawn in one go: 16 MB an array
_SAME = 1e-9  # relative; how well an estimator must give the recorded value

Values = NDArray[np.float64]
Statistic = Callable[[Values], Values]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What the resamples say: standard deviation, 2.5 % and 97.5 % quantile, and a two-sided p value.

    They are of `after - before`, or of ln(after / before) where `scale` says so.
    """

    estimator: str
    scale: Scale
    stderr: float
    low: float
    high: float
    p_value: float
    draws: int


def bootstrap(before: Side, after: Side, *, draws: int = DRAWS) -> Bootstrap | None:
    """The uncertainty of the change, each draw taking the same documents from both, in the same order.

    None where no statistic gives both recorded values, or where the resampled changes are no finite numbers.
    """
    for statistic in corpus_statistics():
        terms = statistic.terms(before, after)
        if terms is None or any(not np.isfinite(of_side).all() for of_side in terms):
            continue
        metric = _metric(statistic.of_sums, statistic.scale)
        with np.errstate(all="ignore"):
            recorded = [
                abs(float(metric(of_side.sum(axis=0))) - side.recorded) <= _SAME * max(1.0, abs(side.recorded))
                for of_side, side in zip(terms, (before, after), strict=True)
            ]
            if all(recorded):
                changes = _changes(terms[0], terms[1], statistic.of_sums, draws)
                return _summary(statistic.name, statistic.scale, changes)
    return None


def _metric(statistic: Statistic, scale: Scale) -> Statistic:
    """The metric itself, of a statistic on this scale."""
    return statistic if scale == "difference" else lambda sums: np.exp(statistic(sums))


def _changes(before: Values, after: Values, statistic: Statistic, draws: int) -> Values:
    """`before` and `after` hold the terms whose sums the statistic is made of: [documents, terms]."""
    rng = np.random.default_rng(_SEED)
    count = len(before)
    changes = np.empty(draws)
    step = max(1, _AT_ONCE // count)
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        chosen = rng.integers(0, count, size=(rows, count), dtype=np.int32)
        of_row = chosen + count * np.arange(rows)[:, None]
        times = np.bincount(of_row.ravel(), minlength=rows * count).reshape(rows, count).astype(float)
        changes[start : start + rows] = statistic(times @ after) - statistic(times @ before)
    return changes


def _summary(estimator: str, scale: Scale, changes: Values) -> Bootstrap | None:
    if not np.isfinite(changes).all():
        return None
    low, high = np.quantile(changes, [0.025, 0.975])
    draws = len(changes)
    tail = min(int((changes <= 0).sum()), int((changes >= 0).sum()))
    return Bootstrap(
        estimator=estimator,
        scale=scale,
        stderr=float(changes.std(ddof=1)),
        low=float(low),
        high=float(high),
        p_value=min(1.0, 2 * (tail + 1) / (draws + 1)),
        draws=draws,
    )
