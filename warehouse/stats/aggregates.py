"""From per-document results back to the number that lm-eval reported, where the metric is a plain function of them."""

from __future__ import annotations

import math

from warehouse.stats.metric import SampleSums
from warehouse.stats.metrics import metrics


def recompute(metric: str, sums: SampleSums) -> tuple[float, str] | None:
    """The number that these documents give and how, or None where it is no known function of their scores."""
    if not sums.scored or sums.mean is None or sums.total is None or sums.scored != sums.rows:
        return None
    definition = metrics().get(metric)
    return None if definition is None or definition.again is None else definition.again(sums)


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
