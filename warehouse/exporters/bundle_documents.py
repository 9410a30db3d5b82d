"""What a bundle holds beside its tables: documents and answers, from the runs' own files, for reading a result."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import UserError
from warehouse.records.run_state import RunHistory
from warehouse.store import confine, journal, kept_documents, run_folders, statements


@dataclass(frozen=True, slots=True)
class _Source:
    """A file with rows of one kind; of a run's own files, the task and level that all of its rows are of."""

    kind: str
    file: Path
    run_id: str
    task: str | None = None
    level: str | None = None


def write_documents(database: Path, run_ids: Sequence[str], folder: Path) -> tuple[dict[str, int], list[str]]:
    """Write `documents.parquet` and `answers.parquet` into a folder, each if there is anything for it.

    Returns how many rows each has, and a sentence for each file that is missing or damaged: a bundle can be made
    without it.
    """
    import duckdb

    left_out = list[str]()
    sources = [source for run_id in run_ids for source in _sources(database, run_id, left_out)]
    counts = dict[str, int]()
    if not sources:
        return counts, left_out
    with duckdb.connect(config={**confine.config([folder])}) as con:
        confine.confine(con, [folder, *(source.file for source in sources)])
        con.execute(statements.query("bundle_memory"))
        for kind in kept_documents.COLUMNS:
            of_kind = [source for source in sources if source.kind == kind]
            if not of_kind:
                continue
            con.execute(statements.query(f"bundle_{kind}_begin"))
            for source in of_kind:
                query = f"bundle_{kind}" if source.task is not None else f"bundle_{kind}_kept"
                parameters = {"path": glob.escape(str(source.file)), "run_id": source.run_id}
                if source.task is not None:
                    parameters |= {"task": source.task}
                if source.level is not None:
                    parameters |= {"level": source.level}
                con.execute(statements.query(query), parameters)
            quoted = str(folder / f"{kind}.parquet").replace("'", "''")
            write = statements.query("bundle_write_kept").replace("{kind}", kind).replace("{path}", quoted)
            counts[kind] = con.execute(write).fetchall()[0][0]
    return counts, left_out


def _sources(database: Path, run_id: str, left_out: list[str]) -> Iterator[_Source]:
    folder = run_folders.root(database) / run_id
    if not (folder / "journal.jsonl").exists():
        for kind in kept_documents.COLUMNS:
            try:
                if (file := kept_documents.find(database, run_id, kind)) is not None:
                    yield _Source(kind, file.resolve(), run_id)
            except UserError as error:
                left_out.append(str(error))
        return
    history = RunHistory()
    for event in journal.read(folder / "journal.jsonl")[0]:
        history.take(event)
    for documents in history.documents.values():
        if _is_whole(file := folder / documents.path, documents.hash, folder, left_out):
            yield _Source("documents", file.resolve(), run_id, documents.task)
    for cell in history.cells.values():
        if not (cell.samples and cell.samples_hash and cell.task in history.documents):
            continue
        if _is_whole(file := folder / cell.samples, cell.samples_hash, folder, left_out):
            yield _Source("answers", file.resolve(), run_id, cell.task, cell.level)


def _is_whole(file: Path, hash_: str, folder: Path, left_out: list[str]) -> bool:
    if not file.resolve().is_relative_to(folder.resolve()):
        left_out.append(f"{file} lies outside the run's folder.")
        return False
    try:
        whole = kept_documents.digest(file) == hash_
    except OSError as error:
        left_out.append(f"{file} cannot be read ({error.strerror}).")
        return False
    if not whole:
        left_out.append(f"{file} is damaged, or was written by others.")
    return whole
