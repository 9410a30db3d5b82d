"""Processes that write as a worker does, and may die of it: `python writers.py NAME ARGUMENT...`.

They say what is in the journal on standard output, a JSON list a line.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import RunBusyError
from engine.runs import runlock
from warehouse.errors import DatabaseBusyError, UserError
from warehouse.merging import merge
from warehouse.records.conditions import Conditions
from warehouse.records.events import Attempt, CellStarted, Log, Planned
from warehouse.records.facts import CellFacts, MetricFacts
from warehouse.store import db, journal
from warehouse.store.journal import Journal

CELLS_OF_WRITER = 40


def begin(run: Path) -> Journal:
    """Take a run up as a worker does: a plan the first time, a further attempt each time."""
    run.mkdir(parents=True, exist_ok=True)
    path = run / "journal.jsonl"
    known = journal.read(path)[0] if path.exists() else []
    writer = Journal(path)
    if not any(event.kind == "plan" for event in known):
        writer.append(
            Planned(plan={"name": run.name, "method": "maw"}, conditions=Conditions(documents="all"), dtype="float32")
        )
    number = 1 + sum(event.kind == "attempt" for event in known)
    writer.append(Attempt(attempt=number, pid=os.getpid(), host="here", provenance={}))
    return writer


def cell(writer: Journal, task: str, value: float = 0.5) -> None:
    score = MetricFacts(metric="acc", filter="none", value=value, stderr=0.1, n=10, higher_is_better=True)
    writer.append(
        CellFacts(
            level="0", task=task, part_of=None, is_group=False, version="1", num_fewshot=0, seconds=1.0,
            metrics=[score],
        )
    )  # fmt: skip


def write(database: Path, run: Path, cells: int) -> None:
    """A worker in short: each cell into the journal, said on standard output once it is there, then merged."""
    writer = begin(run)
    for _ in range(cells):
        task = f"t{writer.append(CellStarted(level='0', task='next'))}-{os.getpid()}"
        cell(writer, task)
        print(json.dumps([run.name, task]), flush=True)
        writer.append(Log(message="not waited for"))
        with suppress(DatabaseBusyError):  # as a worker: the journal has it
            merge.merge_run(database, run)


def write_until_full(database: Path, run: Path, room: int) -> None:
    """The same on a disk on which no file may grow beyond `room` bytes."""
    _expect_full_disk()
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    try:
        write(database, run, CELLS_OF_WRITER)
    except UserError as error:
        print(json.dumps(["refused", str(error)]), flush=True)


def write_at_every_limit(folder: Path, run: Path, limits: int) -> None:
    """The disk full at each byte of an event in turn, then at `limits` sizes of a new database; room after each."""
    _expect_full_disk()
    writer = begin(run)
    start = writer.path.stat().st_size
    cell(writer, "first")
    print(json.dumps([run.name, "first"]), flush=True)
    for room in range(writer.path.stat().st_size - start):
        task = f"at-{room}"
        with files_limited_to(writer.path.stat().st_size + room):
            try:
                cell(writer, task)
            except UserError:
                print(json.dumps(["refused", task]), flush=True)
                task = f"after-{room}"
        if task.startswith("after"):
            cell(writer, task)
        print(json.dumps([run.name, task]), flush=True)
    whole = folder / "whole.duckdb"
    merge.merge_run(whole, run)
    for number in range(limits):
        with files_limited_to(whole.stat().st_size * number // limits):
            try:
                merge.merge_run(folder / f"limit-{number}.duckdb", run)
            except UserError as error:
                print(json.dumps(["refused", str(error)]), flush=True)


def _expect_full_disk() -> None:
    """A write beyond the limit is an error; and what Python compiles meanwhile is not kept: it would be cut off there,
    and every later import of it would fail.
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sys.dont_write_bytecode = True


@contextmanager
def files_limited_to(room: int) -> Iterator[None]:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def write_alone(database: Path, run: Path) -> None:
    """The same with the run's lock, which another process may have."""
    try:
        with runlock.hold(run / "run.lock"):
            write(database, run, CELLS_OF_WRITER)
    except RunBusyError as error:
        print(json.dumps(["refused", str(error)]), flush=True)


def bring_up_to_date(database: Path) -> None:
    """Opening an older file does; said once the file is ready."""
    with db.open_write(database, wait=60):
        print(json.dumps(["opened", database.name]), flush=True)


def main() -> None:
    match sys.argv[1:]:
        case ["write", database, run, cells]:
            write(Path(database), Path(run), int(cells))
        case ["write_until_full", database, run, room]:
            write_until_full(Path(database), Path(run), int(room))
        case ["write_at_every_limit", folder, run, limits]:
            write_at_every_limit(Path(folder), Path(run), int(limits))
        case ["write_alone", database, run]:
            write_alone(Path(database), Path(run))
        case ["bring_up_to_date", database]:
            bring_up_to_date(Path(database))


if __name__ == "__main__":
    main()
