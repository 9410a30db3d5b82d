"""The Brier score: the squared distance of the choices' probabilities from certainty of what is right (Brier 1950)."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from warehouse.stats.metric import Metric, PerDocument


def _per_document(item: Any) -> PerDocument | None:
    """Of (right class, probabilities); lm-eval averages it over documents."""
    if not isinstance(item, list | tuple) or len(item) != 2:
        return None
    right, probabilities = item
    if not isinstance(right, Integral) or isinstance(probabilities, Real):
        return None
    return PerDocument(sum((float(p) - (choice == right)) ** 2 for choice, p in enumerate(probabilities)))


METRICS = (Metric(name="brier_score", higher_is_better=False, per_document=_per_document),)
