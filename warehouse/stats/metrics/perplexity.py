"""Perplexities: of one log-likelihood a document (LAMBADA), or of rolling ones, per word or byte (WikiText)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from warehouse.stats.metric import CorpusStatistic, Metric, SampleSums

if TYPE_CHECKING:
    from warehouse.stats.metric import Side, Values


def _plain(before: Side, after: Side) -> tuple[Values, Values]:
    import numpy as np

    # One with weights is not a mean over documents.
    ones = [np.where(np.isnan(side.weight), 1.0, np.nan) for side in (before, after)]
    return np.stack([before.value, ones[0]], axis=1), np.stack([after.value, ones[1]], axis=1)


def _weighted(before: Side, after: Side) -> tuple[Values, Values]:
    import numpy as np

    return np.stack([before.value, before.weight], axis=1), np.stack([after.value, after.weight], axis=1)


def _log_perplexity(sums: Values) -> Values:
    return -sums[..., 0] / sums[..., 1]


def _bits(sums: Values) -> Values:
    import numpy as np

    return _log_perplexity(sums) / np.log(2)


def _exp_of_mean(sums: SampleSums) -> tuple[float, str] | None:
    return None if sums.mean is None else (_exp(-sums.mean), "exp(−mean log-likelihood)")


def _exp_per_word(sums: SampleSums) -> tuple[float, str] | None:
    return None if (each := _per_unit(sums)) is None else (_exp(each), "exp(−log-likelihood per word)")


def _exp_per_byte(sums: SampleSums) -> tuple[float, str] | None:
    return None if (each := _per_unit(sums)) is None else (_exp(each), "exp(−log-likelihood per byte)")


def _bits_per_byte(sums: SampleSums) -> tuple[float, str] | None:
    return None if (each := _per_unit(sums)) is None else (each / math.log(2), "−log2-likelihood per byte")


def _per_unit(sums: SampleSums) -> float | None:
    return -sums.total / sums.weight if sums.total is not None and sums.weight else None


def _exp(power: float) -> float:
    try:
        return math.exp(power)
    except OverflowError:
        return math.inf


_WEIGHTED = CorpusStatistic("weighted perplexity", _weighted, _log_perplexity, "ln")

METRICS = (
    Metric(
        name="perplexity",
        higher_is_better=False,
        corpus=(CorpusStatistic("perplexity", _plain, _log_perplexity, "ln"),),
        again=_exp_of_mean,
    ),
    Metric(
        name="word_perplexity",
        higher_is_better=False,
        corpus=(_WEIGHTED,),
        again=_exp_per_word,
    ),
    Metric(
        name="byte_perplexity",
        higher_is_better=False,
        corpus=(_WEIGHTED,),
        again=_exp_per_byte,
    ),
    # A logarithm already.
    Metric(
        name="bits_per_byte",
        higher_is_better=False,
        corpus=(CorpusStatistic("bits per unit", _weighted, _bits),),
        again=_bits_per_byte,
    ),
)
