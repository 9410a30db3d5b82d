"""Merging journals into the DuckDB file. Merging the same journal again changes nothing."""

from __future__ import annotations

import glob
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from warehouse.errors import UserError
from warehouse.merging import journal_sync, rows
from warehouse.records.events import Event
from warehouse.records.facts import CellFacts
from warehouse.stats import pairing
from warehouse.store import accounts, db, identity, journal, run_folders, statements
from warehouse.store.transaction import transaction

_IDENTIFYING = frozenset(
    {"runs", "models", "calibrations", "tasks", "cells"}
)  # tables that say what a measurement is of
_PAIRING_SECONDS = 5.0  # for which a merge may hold the file on for comparing documents


@dataclass(slots=True)
class MergeReport:
    """What a merge of several runs did: events merged by run; runs that could not be read, and those whose rows were
    altered by other hands, with the reason; and of runs that were merged, the documents that could not be read, and a
    sentence on a journal that has less than was merged of it.

    `homeless` counts our own runs in the database where there is no folder of runs beside it.
    """

    merged: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    altered: dict[str, str] = field(default_factory=dict)
    unread: dict[str, list[str]] = field(default_factory=dict)
    cut: dict[str, str] = field(default_factory=dict)
    homeless: int = 0


def merge_run(path: Path, run_dir: Path, *, wait: float = 0.0, compare_all: bool = False) -> int:
    """Merge what is new in a run's journal, in one transaction, and return the number of events merged.

    With `compare_all` every document that is due is compared, however long that takes; else the rest is left to the
    next merge after some seconds.

    Raises:
        DatabaseBusyError: another process holds the DuckDB file; nothing is lost, merge again later.
        UserError: the journal is damaged or missing, or the file cannot be opened or written.
    """
    with db.open_write(path, wait=wait, reach=[run_dir]) as con:
        before = journal_sync.positions(con, run_dir.name).get(run_dir.name)
        merged = _merge(con, run_dir, before, MergeReport())
        pairing.refresh(con, seconds=None if compare_all else _PAIRING_SECONDS)
        return merged


def merge_all(path: Path, runs_root: Path, *, wait: float = 0.0) -> MergeReport:
    """Merge every run of the database under `runs_root`, oldest name first; one that cannot be read does not stop the
    rest.

    Raises:
        DatabaseBusyError: another process holds the DuckDB file.
    """
    folders = folders_of(path, runs_root)
    if not folders and not path.exists():
        return MergeReport()
    with db.open_write(path, wait=wait, reach=[runs_root]) as con:
        altered = accounts.altered(con, runs_root)
        report = merge_folders(con, folders, without=altered)
        report.altered.update(altered)
        report.cut.update(_gone(con, path, runs_root))
        if not runs_root.is_dir():
            [(report.homeless,)] = con.execute(statements.query("own_runs")).fetchall()
        pairing.refresh(con)
    return report


def merge_folders(
    con: duckdb.DuckDBPyConnection, folders: Iterable[Path], *, without: Collection[str] = ()
) -> MergeReport:
    """Merge every run folder but those of the runs `without` into the file that is open."""
    report = MergeReport()
    merged = journal_sync.positions(con)
    for folder in folders:
        if folder.name in without:
            continue
        try:
            report.merged[folder.name] = _merge(con, folder, merged.get(folder.name), report)
        except UserError as error:
            report.unreadable[folder.name] = str(error)
    return report


def folders_of(path: Path, runs_root: Path) -> list[Path]:
    """The folders of a database's runs that have written anything, oldest first."""
    return [folder for folder in run_folders.of(path, runs_root) if (folder / "journal.jsonl").exists()]


def _gone(con: duckdb.DuckDBPyConnection, path: Path, runs_root: Path) -> dict[str, str]:
    """The runs that were merged, and have a folder and no journal in it, with a sentence on that."""
    folders = [folder for folder in run_folders.of(path, runs_root) if not (folder / "journal.jsonl").exists()]
    merged = journal_sync.positions(con) if folders else {}
    return {
        folder.name: f"{folder / 'journal.jsonl'} is gone, and had been merged up to byte {merged[folder.name].end:,}. "
        "The database keeps what it has of the run."
        for folder in folders
        if folder.name in merged
    }


@dataclass(frozen=True, slots=True)
class Appended:
    """Rows of one run that are new to the file, those of its events from `first_seq` on, by table."""

    run_id: str
    events: int
    first_seq: int
    tables: dict[str, list[dict[str, Any]]]
    samples: list[dict[str, Any]]


def store(
    con: duckdb.DuckDBPyConnection,
    run_id: str,
    events: Iterable[Event],
    *,
    end: int,
    folder: Path,
    unread: list[str] | None = None,
) -> int:
    """Append the facts among `events` that the file does not have yet, in one transaction, and count them.

    `end` is the journal's offset after the last of them; `folder` is where samples' paths start. `unread` is told which
    samples cannot be read.
    """
    new = _new(con, run_id, events, end, folder, unread)
    if new is None:
        return 0
    with transaction(con):
        _append(con, new)
        settle(con, [new])
    return new.events


def append(con: duckdb.DuckDBPyConnection, run_id: str, events: Iterable[Event], *, folder: Path) -> Appended | None:
    """The same of a run without a journal, inside the caller's transaction, which is to `settle` all that it appended;
    None where nothing was new.
    """
    new = _new(con, run_id, events, 0, folder, None)
    if new is not None:
        _append(con, new)
    return new


def settle(con: duckdb.DuckDBPyConnection, appended: Sequence[Appended]) -> None:
    """What follows from rows, inside the transaction that appended them: their digests, of which model and question
    they are, and what is to be compared. Of several runs at once, since identities are made anew model by model.
    """
    for new in appended:
        accounts.note_new(con, new.run_id, new.first_seq, new.tables)
    identifying = [new.run_id for new in appended if not _IDENTIFYING.isdisjoint(new.tables)]
    if identifying:
        identity.resolve(con, sorted({model for run_id in identifying for model in identity.models_of(con, run_id)}))
    for new in appended:
        if "cells" in new.tables:
            pairing.note_cells(con, new.run_id, new.first_seq)
        elif "tasks" in new.tables:
            pairing.note_tasks(con, new.run_id)


def _new(
    con: duckdb.DuckDBPyConnection,
    run_id: str,
    events: Iterable[Event],
    end: int,
    folder: Path,
    unread: list[str] | None,
) -> Appended | None:
    """The rows of the facts that the file does not have."""
    facts = [event for event in events if rows.is_fact(event)]
    if not facts:
        return None
    already = con.execute(
        statements.query("merged_seqs"), {"run_id": run_id, "first_seq": min(event.seq for event in facts)}
    ).fetchall()
    seqs = {seq for (seq,) in already}
    facts = [event for event in facts if event.seq not in seqs]
    if not facts:
        return None
    tables = rows.rows(run_id, facts)
    samples = []
    for event in facts:
        if isinstance(event.data, CellFacts) and event.data.samples:
            parameters, problem = _sample_file(con, event.data, event.data.samples, folder)
            if problem is None:
                samples.append(parameters | {"run_id": run_id, "seq": event.seq})
            else:
                if unread is not None:
                    unread.append(f"{event.data.samples}: {problem}")
                tables["events"].append(rows.note(run_id, event, event.data, "samples_unreadable", problem))
    now = rows.utc(time.time())
    tables["merged_events"] = [
        {"run_id": run_id, "seq": event.seq, "kind": event.kind, "journal_end": end, "merged_at": now}
        for event in facts
    ]
    return Appended(run_id, len(facts), min(event.seq for event in facts), tables, samples)


def _merge(
    con: duckdb.DuckDBPyConnection, run_dir: Path, before: journal_sync.Position | None, report: MergeReport
) -> int:
    """How many events; what else there is to say goes into the report."""
    path = run_dir / "journal.jsonl"
    run_id = run_dir.name
    try:
        new = journal_sync.new_events(con, run_id, path, before)
        # Nothing may be in the warehouse that a power cut could still take out of the journal.
        journal.sync(path)
    except FileNotFoundError as error:
        raise UserError(f"{run_dir} is not a run folder: it has no journal.jsonl.") from error
    if new.cut_from is not None:
        report.cut[run_id] = (
            f"{path} ends after line {len(new.events)}, byte {new.end:,}, and had been merged up to byte "
            f"{new.cut_from:,}: it was cut back. The database keeps what it has of the run."
        )
    unread: list[str] = []
    merged = store(con, run_id, new.events, end=new.end, folder=run_dir, unread=unread)
    if unread:
        report.unread[run_id] = unread
    return merged


def _sample_file(
    con: duckdb.DuckDBPyConnection, cell: CellFacts, samples: str, folder: Path
) -> tuple[dict[str, Any], str | None]:
    """Where a cell's per-document results are, and why they cannot be read, if so: its metrics count all the same."""
    path = (folder / samples).resolve()
    parameters = {"level": cell.level, "task": cell.task, "path": glob.escape(str(path))}
    if not path.is_relative_to(folder.resolve()):
        return parameters, f"{path} lies outside the run's folder"
    if not path.exists():
        return parameters, f"there is no {path}"
    try:
        con.execute(statements.query("check_samples"), {"path": parameters["path"]}).fetchall()
    except duckdb.Error as error:
        return parameters, str(error).splitlines()[0]
    return parameters, None


def _append(con: duckdb.DuckDBPyConnection, new: Appended) -> None:
    for table, of_table in new.tables.items():
        _append_rows(con, table, of_table)
    for parameters in new.samples:
        con.execute(statements.query("insert_samples"), parameters)


def _append_rows(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0])
    with con.appender(table, columns=columns) as appender:
        appender.append_rows([[row[column] for column in columns] for row in rows])
