"""What one text adds to a metric of a corpus, as sacrebleu counts it with the settings that lm-eval uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from warehouse.stats.metric import PerDocument

Terms = Callable[[str, list[list[str]]], Iterable[float]]


def counted(terms: Terms) -> Callable[[Any], PerDocument | None]:
    """From (reference or references, text) to the counts that sacrebleu sums over documents: `terms` of a text and its
    references, each of which is a list of one.
    """

    def per_document(item: Any) -> PerDocument | None:
        if not isinstance(item, list | tuple) or len(item) != 2:
            return None
        references, text = item
        if isinstance(references, str):
            references = [references]
        if isinstance(text, list | tuple) and len(text) == 1:
            text = text[0]
        if not isinstance(text, str) or not _all_texts(references):
            return None
        return PerDocument(terms=[float(count) for count in terms(text, [[reference] for reference in references])])

    return per_document


def _all_texts(references: Any) -> bool:
    return isinstance(references, Sequence) and all(isinstance(reference, str) for reference in references)
