"""What one document adds to a metric, from the item that lm-eval hands to the metric's aggregation."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from warehouse.stats.metric import PerDocument
from warehouse.stats.metrics import metrics


def per_document(metric: str, item: Any) -> PerDocument:
    """What lm-eval's `process_results` gives for a metric, as numbers; empty where it is nothing known."""
    definition = metrics().get(metric)
    own = None if definition is None or definition.per_document is None else definition.per_document(item)
    return of_shape(item) if own is None else own


def of_shape(item: Any) -> PerDocument:
    """Of any metric: numbers are values. Pairs are (right class, chosen class) of F1 and MCC, or (log-likelihood, words
    or bytes) of rolling perplexities.
    """
    if isinstance(item, Real):
        return PerDocument(float(item))
    if not isinstance(item, list | tuple) or len(item) != 2:
        return PerDocument()
    first, second = item
    if isinstance(first, Integral) and isinstance(second, Integral):
        return PerDocument(terms=[float(first), float(second)])
    if isinstance(first, Real) and isinstance(second, Real):
        return PerDocument(float(first), float(second))
    return PerDocument()
