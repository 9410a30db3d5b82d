"""Everything that a reader needs to check a table, in one file: `docs/adr/0002-bundles.md` says why it is a zip.

    manifest.json        what is in it, with a hash and a number of rows for each file
    README.txt           how to read it, with and without prune-tui
    load.sql             for a duckdb shell: the tables, filled, and the views over them
    data/<table>.parquet the facts, row by row as the warehouse has them
    data/documents.parquet, data/answers.parquet
                         what was asked and what each level answered, of runs that kept it

Members are stored, not compressed (Parquet is already), so that what a reader unpacks is never larger than the file.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.errors import UserError
from warehouse.exporters.bundle_documents import write_documents
from warehouse.read.run_diff import find_run
from warehouse.read.runs import find_models, list_runs
from warehouse.records.names import public_name
from warehouse.store import db, statements
from warehouse.store.scratch import scratch_folder
from warehouse.store.transaction import transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMAT = "prune-tui bundle"
VERSION = 2
"""Bundles without documents are of version 1, which older programs read."""

# The facts. What is derived from them (paired_deltas) is computed anew where they arrive.
TABLES = (
    "merged_events", "runs", "attempts", "models", "variants", "calibrations", "tasks", "stages", "cells", "metrics",
    "samples", "failures", "events", "gpu_samples", "machines", "measurements",
)  # fmt: skip
SINCE = {"calibrations": 9, "machines": 10}
"""The step of the schema that brought a table: bundles from before lack it."""

# What is not shared of a table, by the macros of bundle_macros.sql: the machine's name, its processes and its folders.
_UNSHARED = {
    "merged_events": {"row_count": "null::integer", "row_digest": "null::ubigint"},  # of the rows as they are here
    "attempts": {"host": "null::varchar", "pid": "null::integer", "provenance": "without_host({column})::json"},
    "runs": dict.fromkeys(("name", "conditions", "adapter", "model_args", "calibration"), "without_folders({column})")
    | {"plan": "without_folders({column}::varchar)::json"},
    "models": {"model": "model_name({column})", "source": "model_name({column})"},
    "calibrations": {"source": "without_folders({column})"},
    "measurements": {"note": "without_folders({column})"},
    "tasks": {"dataset": "without_folders({column})"},
    "failures": {"error": "without_folders({column})", "detail": "without_folders({column})"},
    "events": {"message": "without_folders({column})", "detail": "without_folders({column})"},
}
_BLOCK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say: when it was made is in the manifest


@dataclass(frozen=True, slots=True)
class BundledRun:
    """One run in a bundle, or chosen for one."""

    run_id: str
    name: str
    origin: str
    model_id: str | None
    model: str | None
    cells_done: int


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What was written. `fingerprint` is the manifest's hash: equal fingerprints mean equal content.

    `left_out` has a sentence for each file of documents or answers that is missing or damaged.
    """

    path: Path
    runs: tuple[BundledRun, ...]
    rows: dict[str, int]
    bytes: int
    fingerprint: str
    left_out: tuple[str, ...] = ()


def member(table: str) -> str:
    return f"data/{table}.parquet"


def shared_columns(table: str, columns: Sequence[str]) -> str:
    """The columns of a table for a statement, each as it is shared."""
    unshared = _UNSHARED.get(table, {})
    return ", ".join(
        f"{unshared.get(name, '{column}').format(column=_quoted(name))} as {_quoted(name)}" for name in columns
    )


def _quoted(name: str) -> str:
    return f'"{name}"'


def write_bundle(
    database: Path, path: Path, *, models: Sequence[str] = (), runs: Sequence[str] = (), wait: float = 2.0
) -> BundleReport:
    """Write a bundle of the runs that are named (by id, its beginning, name or `latest`) and of the models named.

    Without either it holds every run. Rows go through files beside `path`, not through memory, and the bundle gets its
    name when it is whole.

    Raises:
        UserError: no such run or model, nothing to write, or `path` exists; or as `db.open_read`.
        DatabaseBusyError: another process holds the database.
    """
    if path.exists():
        raise UserError(f"{path} exists already: choose another name for the bundle.")
    if not path.absolute().parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to write {path.name} in: make it, or choose another name.")
    known = list_runs(database, wait=wait) if runs else []
    run_ids = [find_run(known, text).run_id for text in runs]
    with (
        scratch_folder(path) as folder,
        db.open_read(database, wait=wait, reach=[folder]) as con,
    ):
        con.execute(statements.query("bundle_memory"))
        with transaction(con):
            model_ids = [model.model_id for name in models for model in find_models(con, name)]
            asked = {"run_ids": run_ids, "model_ids": model_ids}
            rows = con.execute(statements.query("bundle_runs"), asked).fetchall()
            chosen = tuple(_shared(BundledRun(*row)) for row in rows)
            if not chosen:
                raise UserError(f"{database} holds no runs to put into a bundle.")
            counts = _write_tables(con, [run.run_id for run in chosen], folder)
        kept, left_out = write_documents(database, [run.run_id for run in chosen], folder / "data")
        counts |= kept
        _write(folder / "README.txt", _readme(chosen, counts).encode())
        _write(folder / "load.sql", load_script().encode())
        manifest = _manifest(folder, chosen, counts)
        whole = folder / "bundle.zip"
        _zip(whole, manifest, folder, counts)
        _publish(whole, path)
    return BundleReport(path, chosen, counts, path.stat().st_size, sha256(manifest).hexdigest(), tuple(left_out))


def _shared(run: BundledRun) -> BundledRun:
    return replace(run, name=public_name(run.name), model=None if run.model is None else public_name(run.model))


def load_script() -> str:
    """SQL that fills an empty DuckDB database from the unpacked bundle and puts the views over it."""
    fill = [f"insert into {table} by name from '{member(table)}';" for table in TABLES]
    schema = [migration.text for migration in statements.migrations()]
    return "\n".join([*schema, *fill, *statements.macros(), *statements.views(), statements.table_comments()])


def _write_tables(con: DuckDBPyConnection, run_ids: list[str], folder: Path) -> dict[str, int]:
    (folder / "data").mkdir()
    con.execute(statements.query("bundle_choose"), {"run_ids": run_ids})
    con.execute(statements.query("bundle_macros"))
    counts = {}
    for table in TABLES:
        quoted = str(folder / member(table)).replace("'", "''")
        # Replaced, not formatted: a folder's name may hold braces.
        columns = [name for name, _ in con.execute(statements.query("bundle_columns"), {"table": table}).fetchall()]
        shared = shared_columns(table, columns)
        statement = statements.query("bundle_write").replace("{table}", table).replace("{columns}", shared)
        statement = statement.replace("{path}", quoted)
        counts[table] = con.execute(statement).fetchall()[0][0]
    return counts


def _manifest(folder: Path, runs: Sequence[BundledRun], counts: dict[str, int]) -> bytes:
    files: dict[str, dict[str, Any]] = {}
    for name in ("README.txt", "load.sql", *map(member, counts)):
        file = folder / name
        files[name] = {"bytes": file.stat().st_size, "sha256": _hash(file)}
    for table, count in counts.items():
        files[member(table)]["rows"] = count
    about = {
        "format": FORMAT,
        "version": VERSION if set(counts) > set(TABLES) else 1,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "prune_tui": version("prune-tui"),
        "schema": max(migration.version for migration in statements.migrations()),
        "runs": [asdict(run) for run in runs],
        "files": files,
    }
    return (json.dumps(about, indent=2, ensure_ascii=False) + "\n").encode()


def _hash(file: Path) -> str:
    digest = sha256()
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _zip(whole: Path, manifest: bytes, folder: Path, tables: Iterable[str]) -> None:
    with zipfile.ZipFile(whole, "x", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("manifest.json", _EPOCH), manifest)
        for name in ("README.txt", "load.sql", *map(member, tables)):
            about = zipfile.ZipInfo(name, _EPOCH)
            about.file_size = (folder / name).stat().st_size
            with (folder / name).open("rb") as source, archive.open(about, "w") as target:
                shutil.copyfileobj(source, target, _BLOCK)
            (folder / name).unlink()  # the disk need not hold it twice


def _publish(whole: Path, path: Path) -> None:
    with whole.open("rb") as file:
        os.fsync(file.fileno())
    try:
        path.hardlink_to(whole)  # fails if somebody has taken the name meanwhile
    except FileExistsError:
        raise UserError(f"{path} exists already: choose another name for the bundle.") from None
    except OSError:  # a filesystem without hard links
        whole.rename(path)


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def _readme(runs: Sequence[BundledRun], counts: dict[str, int]) -> str:
    listed = "\n".join(f"  {run.run_id}  {run.name}, {run.model or 'no model'}" for run in runs)
    rows = "\n".join(f"  {member(table):<32}{count:>14,} rows" for table, count in counts.items())
    return f"""Results of prune-tui: what is lost, and gained, when an LLM's MLPs are made narrower.

Runs:
{listed}

Files:
{rows}

With prune-tui: `prune-tui import FILE` takes this file into a database, where every table can be made again and
every number traced (`prune-tui export deltas --model NAME`, `prune-tui why MODEL LEVEL TASK`).

Without: unpack it, and in its folder `duckdb results.duckdb < load.sql` makes the tables and views. Views to start
from: headline_metrics, baseline_deltas. Intervals that need documents to be paired are computed by prune-tui only.
Any program that reads Parquet reads data/. Where they are there, data/documents.parquet has prompts, choices and gold
answers (long texts cut in the middle, with a note of how much), data/answers.parquet each level's log-likelihoods in
the order of the choices, and generated texts before any filter.

The runs' journals stay with whoever made them. Text in it comes from models, tasks and people: it is data, nothing to
be run.
"""
