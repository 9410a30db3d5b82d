"""Metrics of all documents at once, as lm-eval aggregates them, from sums over documents.

Every function takes sums of shape [..., terms] and returns the metric, of shape [...]. Where scikit-learn or sacrebleu,
which lm-eval calls, settles what stands for a quotient without a denominator, so does this.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def f1(sums: Values) -> Values:
    """F1 of the last class: of classes 0 and 1, the one lm-eval means."""
    return _f1_by_class(sums)[..., -1]


def macro_f1(sums: Values) -> Values:
    """The mean over classes of their F1 (CB; scikit-learn's average="macro")."""
    return _f1_by_class(sums).mean(axis=-1)


def weighted_f1(sums: Values) -> Values:
    """The mean over classes of their F1, weighted by how often each is right (scikit-learn's average="weighted")."""
    _, right, _ = _thirds(sums)
    return _quotient((right * _f1_by_class(sums)).sum(axis=-1), right.sum(axis=-1))


def matthews(sums: Values) -> Values:
    """Matthews' correlation, for any number of classes (Gorodkin 2004): 0 where one side has only one class."""
    hits, right, chosen = _thirds(sums)
    count = right.sum(axis=-1)
    both = hits.sum(axis=-1) * count - (right * chosen).sum(axis=-1)
    spread = (count**2 - (chosen**2).sum(axis=-1)) * (count**2 - (right**2).sum(axis=-1))
    return _quotient(both, np.sqrt(spread))


def bleu(sums: Values) -> Values:
    """BLEU in percent (Papineni et al. 2002), smoothed as mteval-v13a does: sacrebleu's default.

    The terms are the text's length, the reference's length, matching n-grams for n = 1…4, and all n-grams for these.
    """
    length, reference = sums[..., 0], sums[..., 1]
    matching, total = sums[..., 2:6], sums[..., 6:10]
    none = matching == 0
    halved = np.where(none, 0.5 ** np.cumsum(none, axis=-1), matching)
    precision = _quotient(halved, total)
    brevity = np.where(length < reference, np.exp(1 - reference / np.maximum(length, 1e-300)), 1.0)
    score = 100 * brevity * np.exp(np.log(precision).mean(axis=-1))
    return np.where(none.all(axis=-1) | (total == 0).any(axis=-1), 0.0, score)


def chrf(sums: Values) -> Values:
    """chrF or chrF++ in percent (Popović 2015, 2017), beta = 2.

    For each order of n-grams the terms are how many the text has, how many the reference has, and how many match.
    """
    text, reference, matching = (sums[..., which::3] for which in range(3))
    counts = (text > 0) & (reference > 0)
    orders = counts.sum(axis=-1)
    precision, recall = (
        _quotient(np.where(counts, _quotient(matching, of), 0.0).sum(axis=-1), orders) for of in (text, reference)
    )
    return 100 * _quotient(5 * precision * recall, 4 * precision + recall)


def ter(sums: Values) -> Values:
    """Translation edit rate in percent (Snover et al. 2006): edits, by words of the references."""
    edits, words = sums[..., 0], sums[..., 1]
    return 100 * np.where(words > 0, _quotient(edits, words), np.where(edits > 0, 1.0, 0.0))


def _f1_by_class(sums: Values) -> Values:
    hits, right, chosen = _thirds(sums)
    return _quotient(2 * hits, right + chosen)


def _thirds(sums: Values) -> tuple[Values, Values, Values]:
    """Of each class: how often it was right and chosen, how often right, how often chosen."""
    classes = sums.shape[-1] // 3
    return sums[..., :classes], sums[..., classes : 2 * classes], sums[..., 2 * classes :]


def _quotient(above: Values, below: Values) -> Values:
    """0 where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=np.asarray(below) != 0)
