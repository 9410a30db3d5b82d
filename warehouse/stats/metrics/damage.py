"""How far a pruned model is from the unpruned one, on text that neither is asked anything about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.stats.metric import CorpusStatistic, Metric, SampleSums

if TYPE_CHECKING:
    from warehouse.stats.metric import Side, Values

TASK = "damage"
"""What stands for a task in tables: it is nobody's benchmark, and no mean over benchmarks counts it."""


def _sums(before: Side, after: Side) -> tuple[Values, Values]:
    import numpy as np

    return np.stack([before.value, before.weight], axis=1), np.stack([after.value, after.weight], axis=1)


def _each(sums: Values) -> Values:
    return sums[..., 0] / sums[..., 1]


def _per_token(sums: SampleSums) -> tuple[float, str] | None:
    return (sums.total / sums.weight, "sum / tokens") if sums.total is not None and sums.weight else None


_MEAN = CorpusStatistic("mean of tokens", _sums, _each)

# A sequence's sample is the sum over its tokens, with their number for a weight.
METRICS = (
    # Of the next token's distribution, in nats a token: 0 where nothing has changed.
    Metric(name="kl_divergence", higher_is_better=False, answer=None, corpus=(_MEAN,), again=_per_token),
    Metric(name="top1_agreement", higher_is_better=True, answer=None, corpus=(_MEAN,), again=_per_token),
)
