"""Documents and answers of runs whose folder is elsewhere: `<database stem>.documents/<run id>/`, from a bundle.

    documents-<sha256>.parquet   prompts, choices and gold answers of the run's tasks
    answers-<sha256>.parquet     what each level answered

Named after what is in them, so that damage is told from fact.
"""

from __future__ import annotations

import shutil
from hashlib import file_digest
from pathlib import Path

from warehouse import filenames
from warehouse.errors import UserError
from warehouse.store import run_folders

COLUMNS = {
    "documents": {
        "choices": "VARCHAR[]", "doc_hash": "BLOB", "doc_id": "INTEGER", "prompts": "VARCHAR[]", "run_id": "VARCHAR",
        "target": "VARCHAR", "task": "VARCHAR",
    },
    "answers": {
        "doc_id": "INTEGER", "greedy": "BOOLEAN[]", "level": "VARCHAR", "log_likelihoods": "DOUBLE[]",
        "run_id": "VARCHAR", "task": "VARCHAR", "texts": "VARCHAR[]",
    },
}  # fmt: skip
"""As a bundle has them, by name."""


def folder_of(database: Path, run_id: str) -> Path:
    return run_folders.root(database).with_suffix(".documents") / run_id


def digest(file: Path) -> str:
    """Raises:
    OSError: the file cannot be read.
    """
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


def keep(database: Path, run_id: str, files: dict[str, Path]) -> None:
    """Move a run's files in, those of `COLUMNS` by name, in place of what an earlier bundle brought.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = folder_of(database, run_id)
    draft = filenames.beside(folder, "draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for kind, file in files.items():
        file.rename(draft / f"{kind}-{digest(file)}.parquet")
    delete(database, run_id)
    draft.rename(folder)


def delete(database: Path, run_id: str) -> None:
    """Remove a run's files; of one that has none here, nothing."""
    folder = folder_of(database, run_id)
    if folder.is_dir():
        shutil.rmtree(folder)


def find(database: Path, run_id: str, kind: str) -> Path | None:
    """A run's file of a kind, None where no bundle brought one.

    Raises:
        UserError: it is damaged.
    """
    file = next(folder_of(database, run_id).glob(f"{kind}-*.parquet"), None)
    if file is not None and file.stem != f"{kind}-{digest(file)}":
        raise UserError(f"{file} is damaged: remove its folder and import the bundle that it came in again.")
    return file
