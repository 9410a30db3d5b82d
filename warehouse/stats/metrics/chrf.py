"""chrF and chrF++, of texts and their references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warehouse.stats.metric import CorpusStatistic, Metric
from warehouse.stats.sums import own_terms, quotient
from warehouse.stats.texts import counted

if TYPE_CHECKING:
    from warehouse.stats.metric import Values

_CHARACTERS, _WORDS = 6, 2  # orders of n-grams; chrF has none of words


def _of_characters() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


def _of_words_too() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(word_order=_WORDS)


def chrf(sums: Values) -> Values:
    """chrF or chrF++ in percent (Popović 2015, 2017), beta = 2.

    For each order of n-grams the terms are how many the text has, how many the reference has, and how many match.
    """
    import numpy as np

    text, reference, matching = (sums[..., which::3] for which in range(3))
    counts = (text > 0) & (reference > 0)
    orders = counts.sum(axis=-1)
    precision, recall = (
        quotient(np.where(counts, quotient(matching, of), 0.0).sum(axis=-1), orders) for of in (text, reference)
    )
    return 100 * quotient(5 * precision * recall, 4 * precision + recall)


_CHRF = CorpusStatistic("chrF", own_terms(3 * _CHARACTERS, 3 * (_CHARACTERS + _WORDS)), chrf)

METRICS = (
    Metric(name="chrf", higher_is_better=True, per_document=counted(_of_characters), corpus=(_CHRF,)),
    Metric(name="chrf++", higher_is_better=True, per_document=counted(_of_words_too), corpus=(_CHRF,)),
)
