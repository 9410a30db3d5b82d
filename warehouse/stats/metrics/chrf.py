"""chrF and chrF++, of texts and their references."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from warehouse.stats.metric import CorpusStatistic, Metric
from warehouse.stats.sums import own_terms, quotient
from warehouse.stats.texts import counted

if TYPE_CHECKING:
    from sacrebleu.metrics.chrf import CHRF

    from warehouse.stats.metric import Values

_CHARACTERS, _WORDS = 6, 2  # orders of n-grams; chrF has none of words


@cache
def _sacrebleu(word_order: int) -> CHRF:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(word_order=word_order)


def _terms(text: str, references: list[list[str]], *, word_order: int) -> list[int]:
    # A BLEU or TER score of one text says what it was made of; chrF's says no more than the score.
    return _sacrebleu(word_order)._extract_corpus_statistics([text], references)[0]


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
    Metric(name="chrf", higher_is_better=True, per_document=counted(partial(_terms, word_order=0)), corpus=(_CHRF,)),
    Metric(
        name="chrf++", higher_is_better=True, per_document=counted(partial(_terms, word_order=_WORDS)), corpus=(_CHRF,)
    ),
)
