"""From per-document results back to the number that lm-eval reported, where the metric is a plain function of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

# lm-eval averages these over documents.
MEANS = frozenset(
    {"acc", "acc_norm", "acc_bytes", "exact_match", "prompt_level_strict_acc", "prompt_level_loose_acc", "pass@1", "em"}
)
# Of rolling log-likelihoods, per word or byte; LAMBADA's is of one log-likelihood a document.
_ROLLING = ("word_perplexity", "byte_perplexity", "bits_per_byte")


@dataclass(frozen=True, slots=True)
class SampleSums:
    """Rows of one metric of one cell: how many, how many with a score, and sums over those."""

    rows: int
    scored: int
    mean: float | None
    total: float | None
    weight: float | None


def recompute(metric: str, sums: SampleSums) -> tuple[float, str] | None:
    """The number that these documents give and how, or None where it is no known function of their scores."""
    if not sums.scored or sums.mean is None or sums.total is None or sums.scored != sums.rows:
        return None
    if metric in MEANS:
        return sums.mean, "mean"
    if metric == "perplexity":
        return _exp(-sums.mean), "exp(−mean log-likelihood)"
    if metric in _ROLLING and sums.weight:
        per_unit = -sums.total / sums.weight
        if metric == "bits_per_byte":
            return per_unit / math.log(2), "−log2-likelihood per byte"
        return _exp(per_unit), f"exp(−log-likelihood per {metric.partition('_')[0]})"
    return None


def agree(one: float, other: float) -> bool:
    """Equal but for the order in which floating-point numbers were added; NaN equals NaN."""
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def identical(one: float | None, other: float | None) -> bool:
    """Equal to the last bit, NaN with NaN and nothing with nothing."""
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))


def _exp(power: float) -> float:
    try:
        return math.exp(power)
    except OverflowError:
        return math.inf
