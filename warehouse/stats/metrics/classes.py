"""F1 and Matthews' correlation, of documents with a right and a chosen class each.

What one document adds are these two, as numbers. Some tasks of lm-eval report the macro or the weighted F1 under the
name f1: the one that gives the recorded value is resampled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.stats.metric import CorpusStatistic, Metric
from warehouse.stats.sums import own_terms, quotient

if TYPE_CHECKING:
    from warehouse.stats.metric import Side, Values

_MOST_CLASSES = 100
_pairs = own_terms(2)


def f1(sums: Values) -> Values:
    """F1 of the last class: of classes 0 and 1, the one lm-eval means."""
    return _f1_by_class(sums)[..., -1]


def macro_f1(sums: Values) -> Values:
    """The mean over classes of their F1 (CB; scikit-learn's average="macro")."""
    return _f1_by_class(sums).mean(axis=-1)


def weighted_f1(sums: Values) -> Values:
    """The mean over classes of their F1, weighted by how often each is right (scikit-learn's average="weighted")."""
    _, right, _ = _thirds(sums)
    return quotient((right * _f1_by_class(sums)).sum(axis=-1), right.sum(axis=-1))


def matthews(sums: Values) -> Values:
    """Matthews' correlation, for any number of classes (Gorodkin 2004): 0 where one side has only one class."""
    import numpy as np

    hits, right, chosen = _thirds(sums)
    count = right.sum(axis=-1)
    both = hits.sum(axis=-1) * count - (right * chosen).sum(axis=-1)
    spread = (count**2 - (chosen**2).sum(axis=-1)) * (count**2 - (right**2).sum(axis=-1))
    return quotient(both, np.sqrt(spread))


def _f1_by_class(sums: Values) -> Values:
    hits, right, chosen = _thirds(sums)
    return quotient(2 * hits, right + chosen)


def _thirds(sums: Values) -> tuple[Values, Values, Values]:
    """Of each class: how often it was right and chosen, how often right, how often chosen."""
    classes = sums.shape[-1] // 3
    return sums[..., :classes], sums[..., classes : 2 * classes], sums[..., 2 * classes :]


def _counts(before: Side, after: Side) -> tuple[Values, Values] | None:
    """Of each document and class: whether it was right and chosen, right, chosen."""
    classes = _classes(before, after)
    if classes is None or len(classes) > _MOST_CLASSES:
        return None
    return _of_side(before, classes), _of_side(after, classes)


def _counts_of_two(before: Side, after: Side) -> tuple[Values, Values] | None:
    classes = _classes(before, after)
    if classes is None or not set(classes) <= {0.0, 1.0} or 1.0 not in classes:
        return None
    return _of_side(before, classes), _of_side(after, classes)


def _classes(before: Side, after: Side) -> Values | None:
    import numpy as np

    pairs = _pairs(before, after)
    return None if pairs is None else np.unique(np.concatenate(pairs))


def _of_side(side: Side, classes: Values) -> Values:
    import numpy as np

    assert side.terms is not None
    right, chosen = (side.terms[:, [which]] == classes for which in (0, 1))
    return np.concatenate([right & chosen, right, chosen], axis=1).astype(float)


METRICS = (
    Metric(
        name="f1",
        higher_is_better=True,
        corpus=(CorpusStatistic("F1", _counts_of_two, f1),),
    ),
    Metric(
        name="mcc",
        higher_is_better=True,
        corpus=(CorpusStatistic("MCC", _counts, matthews),),
    ),
    Metric(name="macro_f1", higher_is_better=True, corpus=(CorpusStatistic("macro F1", _counts, macro_f1),)),
    Metric(name="weighted_f1", higher_is_better=True, corpus=(CorpusStatistic("weighted F1", _counts, weighted_f1),)),
)
