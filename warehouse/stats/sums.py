"""What metrics have in common: they are made of sums over documents.

Imports NumPy only where there is something to resample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.stats.metric import SampleSums, Side, Values


def mean(sums: SampleSums) -> tuple[float, str] | None:
    """The mean over documents, as lm-eval has it of most metrics."""
    return None if sums.mean is None else (sums.mean, "mean")


def own_terms(*counts: int) -> Callable[[Side, Side], tuple[Values, Values] | None]:
    """The terms that were kept of the documents, where each has one of these numbers of them."""

    def terms(before: Side, after: Side) -> tuple[Values, Values] | None:
        if before.terms is None or after.terms is None or before.terms.shape != after.terms.shape:
            return None
        return (before.terms, after.terms) if before.terms.shape[1] in counts else None

    return terms


def quotient(above: Values, below: Values) -> Values:
    """0 where there is nothing to divide by: scikit-learn and sacrebleu, which lm-eval calls, settle it so."""
    import numpy as np

    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=np.asarray(below) != 0)
