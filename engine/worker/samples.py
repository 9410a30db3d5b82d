"""Per-document results on disk: one compressed Parquet file for each finished cell."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.worker.scoring import Sample

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

    The attempt is part of the name: a file that an earlier journal line points to is never replaced.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"{_safe(level)}-{_safe(task)}-{attempt}.parquet"
    draft = path.with_suffix(".draft")
    table = pa.Table.from_pylist([asdict(sample) for sample in samples], schema=_SCHEMA)
    with draft.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return path


def _safe(text: str) -> str:
    """A part of a file name that no other text has, on file systems that do not tell A from a, either."""
    if re.fullmatch(r"[a-z0-9._-]{1,100}", text):
        return text
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', text)[:80]}-{sha256(text.encode()).hexdigest()[:12]}"
