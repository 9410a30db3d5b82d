"""Resampling documents in pairs, for metrics that are no mean of their documents' values.

Perplexities are compared on the log scale, ln(after / before): there a change has an interval that means something even
where one of the two is 10²¹. Of the others it is the difference that is resampled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from warehouse.stats import corpus_metrics

DRAWS = 9999
_SEED = 0
_AT_ONCE = 2_000_000  # documents drawn in one go: 16 MB an array
_SAME = 1e-9  # relative; how well an estimator must give the recorded value
_MOST_CLASSES = 100

Values = NDArray[np.float64]
Statistic = Callable[[Values], Values]
Scale = Literal["difference", "ln"]


@dataclass(frozen=True, slots=True)
class Side:
    """One width's documents: `value` and `weight` of shape [documents], NaN where there is none; `terms` of shape
    [documents, terms], None where there are none.
    """

    value: Values
    weight: Values
    terms: Values | None
    recorded: float


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

    None where no estimator gives both recorded values, or where the resampled changes are no finite numbers.
    """
    for name, terms, statistic, scale in _estimators(before, after):
        sides = [terms(side) for side in (before, after)]
        if any(not np.isfinite(found).all() for found in sides):
            continue
        with np.errstate(all="ignore"):
            recorded = [
                abs(float(_of(statistic, scale)(found.sum(axis=0))) - side.recorded)
                <= _SAME * max(1.0, abs(side.recorded))
                for found, side in zip(sides, (before, after), strict=True)
            ]
            if all(recorded):
                return _summary(name, scale, _changes(sides[0], sides[1], statistic, draws))
    return None


def _of(statistic: Statistic, scale: Scale) -> Statistic:
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


Estimator = tuple[str, Callable[[Side], Values], Statistic, Scale]


def _estimators(before: Side, after: Side) -> tuple[Estimator, ...]:
    """As lm-eval aggregates: a name, the terms that are summed over documents, their statistic, its scale."""
    if before.terms is None or after.terms is None or before.terms.shape != after.terms.shape:
        return _PERPLEXITIES
    match before.terms.shape[1]:
        case 2:
            classes = np.unique(np.concatenate([before.terms, after.terms]))
            return (
                *(_of_classes(classes) if len(classes) <= _MOST_CLASSES else ()),
                ("TER", _own, corpus_metrics.ter, "difference"),
            )
        case 10:
            return (("BLEU", _own, corpus_metrics.bleu, "difference"),)
        case _:
            return (("chrF", _own, corpus_metrics.chrf, "difference"),)


def _of_classes(classes: Values) -> tuple[Estimator, ...]:
    def terms(side: Side) -> Values:
        assert side.terms is not None
        right, chosen = (side.terms[:, [which]] == classes for which in (0, 1))
        return np.concatenate([right & chosen, right, chosen], axis=1).astype(float)

    f1: tuple[Estimator, ...] = (("F1", terms, corpus_metrics.f1, "difference"),)
    of_one = f1 if set(classes) <= {0.0, 1.0} and 1.0 in classes else ()
    return (
        *of_one,
        ("MCC", terms, corpus_metrics.matthews, "difference"),
        ("macro F1", terms, corpus_metrics.macro_f1, "difference"),
        ("weighted F1", terms, corpus_metrics.weighted_f1, "difference"),
    )


def _own(side: Side) -> Values:
    assert side.terms is not None
    return side.terms


def _plain(side: Side) -> Values:
    ones = np.where(np.isnan(side.weight), 1.0, np.nan)  # a weighted one is another estimator's
    return np.stack([side.value, ones], axis=1)


def _weighted(side: Side) -> Values:
    return np.stack([side.value, side.weight], axis=1)


def _log_perplexity(sums: Values) -> Values:
    return -sums[..., 0] / sums[..., 1]


_PERPLEXITIES: tuple[Estimator, ...] = (
    ("perplexity", _plain, _log_perplexity, "ln"),
    ("weighted perplexity", _weighted, _log_perplexity, "ln"),
    ("bits per unit", _weighted, lambda sums: _log_perplexity(sums) / np.log(2), "difference"),
)
