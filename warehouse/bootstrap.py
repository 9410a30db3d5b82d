"""Resampling documents in pairs, for metrics that are no mean of their documents' values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 9999
_SEED = 0
_AT_ONCE = 2_000_000  # documents drawn in one go: 16 MB an array
_SAME = 1e-9  # relative; how well an estimator must give the recorded value

Values = NDArray[np.float64]
Statistic = Callable[[Values], Values]


@dataclass(frozen=True, slots=True)
class Side:
    """One width's documents: `value` and `weight`, both of shape [documents]; NaN where there is none."""

    value: Values
    weight: Values
    recorded: float


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What the resampled deltas say: standard deviation, 2.5 % and 97.5 % quantile, and a two-sided p value."""

    estimator: str
    stderr: float
    low: float
    high: float
    p_value: float
    draws: int


def bootstrap(before: Side, after: Side, *, draws: int = DRAWS) -> Bootstrap | None:
    """The uncertainty of `after - before`, each draw taking the same documents from both, in the same order.

    None where no estimator gives both recorded values, or where the resampled deltas are no finite numbers.
    """
    for name, terms, statistic in _ESTIMATORS:
        sides = [terms(side) for side in (before, after)]
        if any(not np.isfinite(found).all() for found in sides):
            continue
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            recorded = [
                abs(float(statistic(found.mean(axis=1))) - side.recorded) <= _SAME * max(1.0, abs(side.recorded))
                for found, side in zip(sides, (before, after), strict=True)
            ]
            if all(recorded):
                return _summary(name, _deltas(sides[0], sides[1], statistic, draws))
    return None


def _deltas(before: Values, after: Values, statistic: Statistic, draws: int) -> Values:
    """`before` and `after` hold the terms whose means the statistic is made of: [terms, documents]."""
    rng = np.random.default_rng(_SEED)
    count = before.shape[1]
    deltas = np.empty(draws)
    step = max(1, _AT_ONCE // count)
    for start in range(0, draws, step):
        chosen = rng.integers(0, count, size=(min(step, draws - start), count), dtype=np.int32)
        means = [np.stack([term[chosen].mean(axis=1) for term in terms]) for terms in (before, after)]
        deltas[start : start + step] = statistic(means[1]) - statistic(means[0])
    return deltas


def _summary(estimator: str, deltas: Values) -> Bootstrap | None:
    if not np.isfinite(deltas).all():
        return None
    low, high = np.quantile(deltas, [0.025, 0.975])
    draws = len(deltas)
    tail = min(int((deltas <= 0).sum()), int((deltas >= 0).sum()))
    return Bootstrap(
        estimator=estimator,
        stderr=float(deltas.std(ddof=1)),
        low=float(low),
        high=float(high),
        p_value=min(1.0, 2 * (tail + 1) / (draws + 1)),
        draws=draws,
    )


def _plain(side: Side) -> Values:
    return side.value[None] if np.isnan(side.weight).all() else np.full((1, 1), np.nan)


def _weighted(side: Side) -> Values:
    return np.stack([side.value, side.weight])


# As lm-eval aggregates: name, the terms that are averaged over documents, and what is made of their means.
_ESTIMATORS: tuple[tuple[str, Callable[[Side], Values], Statistic], ...] = (
    ("perplexity", _plain, lambda mean: np.exp(-mean[0])),
    ("weighted perplexity", _weighted, lambda mean: np.exp(-mean[0] / mean[1])),
    ("bits per unit", _weighted, lambda mean: -mean[0] / mean[1] / np.log(2)),
)
