"""Per-document results on disk: one compressed Parquet file for each finished cell."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.evaluation.scoring import Sample
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
    ]
)


def write_samples(folder: Path, *, level: str, task: str, attempt: int, samples: Sequence[Sample]) -> Path:
    """Write a cell's samples so that the file is whole once it has its name.

    A file that an earlier journal line points to is never replaced: the attempt is part of the name, and where a
    journal was cut short by hand and counts its attempts again, a number.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    folder.mkdir(exist_ok=True)
    stem = f"{filenames.part(level)}-{filenames.part(task)}-{attempt}"
    draft = folder / f"{stem}.draft"
    table = pa.Table.from_pylist([asdict(sample) for sample in samples], schema=_SCHEMA)
    with draft.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    return filenames.publish_beside(draft, folder, stem, ".parquet")
