"""BLEU, of texts and their references."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from warehouse.stats.metric import CorpusStatistic, Metric
from warehouse.stats.sums import own_terms, quotient
from warehouse.stats.texts import counted

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU

    from warehouse.stats.metric import Values


@cache
def _sacrebleu() -> BLEU:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU()


def _terms(text: str, references: list[list[str]]) -> list[int]:
    score = _sacrebleu().corpus_score([text], references)
    return [score.sys_len, score.ref_len, *score.counts, *score.totals]


def bleu(sums: Values) -> Values:
    """BLEU in percent (Papineni et al. 2002), smoothed as mteval-v13a does: sacrebleu's default.

    The terms are the text's length, the reference's length, matching n-grams for n = 1…4, and all n-grams for these.
    """
    import numpy as np

    length, reference = sums[..., 0], sums[..., 1]
    matching, total = sums[..., 2:6], sums[..., 6:10]
    none = matching == 0
    halved = np.where(none, 0.5 ** np.cumsum(none, axis=-1), matching)
    precision = quotient(halved, total)
    brevity = np.where(length < reference, np.exp(1 - reference / np.maximum(length, 1e-300)), 1.0)
    with np.errstate(divide="ignore"):  # a precision of 0 is a mean of minus infinity, and a score of 0
        score = 100 * brevity * np.exp(np.log(precision).mean(axis=-1))
    return np.where(none.all(axis=-1) | (total == 0).any(axis=-1), 0.0, score)


METRICS = (
    Metric(
        name="bleu",
        higher_is_better=True,
        per_document=counted(_terms),
        corpus=(CorpusStatistic("BLEU", own_terms(10), bleu),),
    ),
)
