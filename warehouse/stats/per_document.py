"""What one document adds to a metric, from the item that lm-eval hands to the metric's aggregation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from typing import Any

_TEXTS = ("bleu", "chrf", "chrf++", "ter")


@dataclass(frozen=True, slots=True)
class PerDocument:
    """`value` where it is a number, with `weight` where that is divided by; `terms` as samples.terms has them."""

    value: float | None = None
    weight: float | None = None
    terms: list[float] | None = None


def per_document(metric: str, item: Any) -> PerDocument:
    """What lm-eval's `process_results` gives for a metric, as numbers; empty where it is nothing known.

    Pairs are (right class, chosen class) of F1 and MCC, (right class, probabilities) of the Brier score,
    (log-likelihood, words or bytes) of rolling perplexities, (reference, text) of BLEU, chrF and TER.
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
    if metric == "brier_score":
        return PerDocument(_brier(first, second))
    if metric in _TEXTS:
        return PerDocument(terms=_text_terms(metric, first, second))
    return PerDocument()


def _brier(right: Any, probabilities: Any) -> float | None:
    """The squared distance of the probabilities from certainty of what is right; lm-eval averages it over documents."""
    if not isinstance(right, Integral):
        return None
    return sum((float(p) - (choice == right)) ** 2 for choice, p in enumerate(probabilities))


def _text_terms(metric: str, references: Any, text: Any) -> list[float] | None:
    if isinstance(references, str):
        references = [references]
    if isinstance(text, list | tuple) and len(text) == 1:
        text = text[0]
    if not isinstance(text, str) or not _all_texts(references):
        return None
    # What sacrebleu sums over a corpus has no public name for one document.
    counts = _sacrebleu(metric)._extract_corpus_statistics([text], [[reference] for reference in references])
    return [float(count) for count in counts[0]]


def _all_texts(references: Any) -> bool:
    return isinstance(references, Sequence) and all(isinstance(reference, str) for reference in references)


@cache
def _sacrebleu(metric: str) -> Any:
    """The metric with the settings that lm-eval uses."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    return {"bleu": BLEU, "chrf": CHRF, "chrf++": lambda: CHRF(word_order=2), "ter": TER}[metric]()
