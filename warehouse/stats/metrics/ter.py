"""Translation edit rate, of texts and their references."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from warehouse.stats.metric import CorpusStatistic, Metric
from warehouse.stats.sums import own_terms, quotient
from warehouse.stats.texts import counted

if TYPE_CHECKING:
    from sacrebleu.metrics.ter import TER

    from warehouse.stats.metric import Values


@cache
def _sacrebleu() -> TER:
    from sacrebleu.metrics.ter import TER

    return TER()


def _terms(text: str, references: list[list[str]]) -> tuple[float, float]:
    score = _sacrebleu().corpus_score([text], references)
    return score.num_edits, score.ref_length


def ter(sums: Values) -> Values:
    """Translation edit rate in percent (Snover et al. 2006): edits, by words of the references."""
    import numpy as np

    edits, words = sums[..., 0], sums[..., 1]
    return 100 * np.where(words > 0, quotient(edits, words), np.where(edits > 0, 1.0, 0.0))


METRICS = (
    Metric(
        name="ter",
        higher_is_better=False,
        per_document=counted(_terms),
        corpus=(CorpusStatistic("TER", own_terms(2), ter),),
    ),
)
