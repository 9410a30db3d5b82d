"""Documents from the rows of benchmarks, and the share of them that a model is judged on and has seen nothing of."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

_SHORTEST = 40  # characters of a text, below which rows may well have it in common
_HELD_OUT = 50  # one document in so many

Document = tuple[str, ...]
"""The texts of one row."""


def trained_and_held_out(folder: Path) -> tuple[list[str], list[str]]:
    """Documents to train on and others to judge by, in an order that is drawn; none of the first has a text in common
    with any of the second, as two questions about one passage have.
    """
    documents = list(dict.fromkeys(_documents(folder)))
    if not documents:
        raise SystemExit(f"{folder} holds no Parquet files with text")
    random.Random(0).shuffle(documents)
    held_out = documents[::_HELD_OUT]
    judged = {text for document in held_out for text in document}
    trained = [document for document in documents if judged.isdisjoint(document)]
    return ["\n".join(document) for document in trained], ["\n".join(document) for document in held_out]


def _documents(folder: Path) -> Iterator[Document]:
    for path in sorted(folder.rglob("*.parquet")):
        for row in parquet.read_table(path).to_pylist():
            texts = [text.strip() for value in row.values() for text in _texts(value)]
            # HellaSwag's ctx is its ctx_a and ctx_b again.
            whole = [text for text in dict.fromkeys(texts) if not any(text != one and text in one for one in texts)]
            if whole:
                yield tuple(whole)


def _texts(value: Any) -> Iterator[str]:
    """Texts of a column; a list of answers is one."""
    if isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        yield from _texts("\n".join(part for part in value if isinstance(part, str)))
    elif isinstance(value, str) and len(value) >= _SHORTEST:
        yield value
