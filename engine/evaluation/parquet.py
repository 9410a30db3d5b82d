"""Parquet files that are whole once they have their name, and never take another file's."""

from __future__ import annotations

import os
from hashlib import file_digest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse import filenames


def write_parquet(folder: Path, stem: str, table: pa.Table, *, plain: tuple[str, ...] = ()) -> tuple[Path, str]:
    """Write a table into a folder under the first name of stem, stem-2, … that is free; returns it and its sha256.

    Of the columns in `plain`, floats that differ from each other, bytes of one rank are compressed together.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    folder.mkdir(exist_ok=True)
    draft = folder / f"{stem}.draft"
    others = [path for path in _columns(table.schema) if path not in plain]
    # pyarrow's annotations have no lists for these two.
    encodings: Any = {"use_dictionary": others, "use_byte_stream_split": list(plain) or False}
    with draft.open("wb") as file:
        pq.write_table(table, file, compression="zstd", **encodings)
        file.flush()
        os.fsync(file.fileno())
    with draft.open("rb") as file:
        hash_ = file_digest(file, "sha256").hexdigest()
    return filenames.publish_beside(draft, folder, stem, ".parquet"), hash_


def _columns(schema: pa.Schema) -> list[str]:
    """The columns as Parquet names them: a list's are those of its elements."""
    return [f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name for field in schema]
