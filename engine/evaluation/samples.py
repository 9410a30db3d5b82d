"""Per-document results on disk: one compressed Parquet file for each finished cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from engine.evaluation.answers import Answers
from engine.evaluation.parquet import write_parquet
from warehouse import filenames

_SCHEMA = pa.schema(
    [
        ("doc_id", pa.int32()),
        ("filter", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("weight", pa.float64()),
        ("response", pa.string()),
        ("terms", pa.list_(pa.float64())),
        ("log_likelihoods", pa.list_(pa.float64())),
        ("greedy", pa.list_(pa.bool_())),
        ("texts", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One document's share of one metric.

    `value` is None where the metric is no number per document; `weight` is the number of words or bytes that
    a perplexity divides by; `terms` are what it adds to F1, BLEU and the like, as `warehouse.stats.per_document`
    has them.
    `response` is JSON: the index of the chosen answer, or the generated text.
    """

    doc_id: int
    filter: str
    metric: str
    value: float | None
    weight: float | None
    response: str | None
    terms: list[float] | None = None


_OF_SAMPLE = tuple(field.name for field in fields(Sample))
_ALL_DIFFERENT = ("log_likelihoods.list.element",)


def write_samples(
    folder: Path, *, level: str, task: str, attempt: int, samples: Sequence[Sample], answers: Mapping[int, Answers]
) -> tuple[Path, str]:
    """Write a cell's samples so that the file is whole once it has its name; returns it and its sha256.

    What was answered to a document stands in the first of its rows only. A file that an earlier journal line points to
    is never replaced: the attempt is part of the name, and where a journal was cut short by hand and counts its
    attempts again, a number.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    table = pa.Table.from_pylist(_rows(samples, dict(answers)), schema=_SCHEMA)
    stem = f"{filenames.part(level)}-{filenames.part(task)}-{attempt}"
    return write_parquet(folder, stem, table, plain=_ALL_DIFFERENT)


def _rows(samples: Sequence[Sample], answers: dict[int, Answers]) -> list[dict[str, Any]]:
    rows = list[dict[str, Any]]()
    for sample in samples:
        row = {name: getattr(sample, name) for name in _OF_SAMPLE}  # `asdict` would copy every value
        if (given := answers.pop(sample.doc_id, None)) is not None:
            row |= {"log_likelihoods": given.log_likelihoods, "greedy": given.greedy, "texts": given.texts}
        rows.append(row)
    return rows
