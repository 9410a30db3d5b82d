"""A run's folder: `<database stem>.runs/<run id>/` beside the database.

    plan.json       what the run is going to do, written before anything starts
    journal.jsonl   what happened, one event a line (warehouse/store/journal.py)
    calibration.npz the token ids on which a calibrated run's neurons were looked at
    damage.npz      the token ids on which --damage holds each level against the unpruned model
    documents/      one Parquet file for each task: its prompts, choices and gold answers, as the run asks them
    samples/        one Parquet file for each finished cell: what each document was answered, and how that scored
    run.lock        held by the working process for as long as it lives
    start.json      who was last asked to work on it (engine/launch_record.py)
    worker.log      what that process printed
    carried.json    which attempt at it is made elsewhere, and where (engine/sweeps/carried.py)
    stop            asks whoever carries it out elsewhere to stop

Whether a run is alive is told from its lock, which the kernel frees whichever way the process ends; everything
else is told from the journal.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import UserError
from engine.planning import model_stack
from engine.planning.plan import RunPlan
from engine.runs import launch_record, runlock
from engine.runs.runlock import Holder
from warehouse import filenames
from warehouse.commands import hint
from warehouse.records.events import Event
from warehouse.records.names import runs_called
from warehouse.records.run_state import RunHistory, RunState
from warehouse.redaction import refuse_secrets
from warehouse.store import journal, run_folders
from warehouse.store.run_folders import root as runs_root

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunDir:
    """One run's folder."""

    path: Path

    @classmethod
    def create(cls, root: Path, plan: RunPlan, database: Path) -> RunDir:
        """Make a run's folder under a new id and write its plan down.

        Raises:
            OSError: the folder cannot be written.
            UserError: the plan holds an access token or a password, or what measures is not installed.
        """
        model_stack.require()
        refuse_secrets(plan.to_dict())
        created_at = datetime.now(UTC)
        path = _new_folder(root, created_at)
        record = {
            "plan": plan.to_dict(),
            # Relative, so that a database and its runs can be moved together.
            "database": os.path.relpath(database.resolve(), path.resolve()),
            "created_at": created_at.isoformat(timespec="seconds"),
            "prune_tui": version("prune-tui"),
        }
        try:
            _write_durably(path / "plan.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")
        except OSError:
            shutil.rmtree(path, ignore_errors=True)
            raise
        return cls(path)

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def journal_path(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def log_path(self) -> Path:
        return self.path / "worker.log"

    @property
    def samples_dir(self) -> Path:
        return self.path / "samples"

    @property
    def documents_dir(self) -> Path:
        return self.path / "documents"

    @property
    def lock_path(self) -> Path:
        return self.path / "run.lock"

    @property
    def plan(self) -> RunPlan:
        """Raises:
        UserError: plan.json is damaged, or from another version of the program.
        """
        return self._field("plan", RunPlan.from_dict)

    @property
    def name(self) -> str:
        """What it was last called."""
        try:
            return journal.last_name(self.journal_path) or self.plan.name
        except UserError:
            return "damaged plan"

    @property
    def sweep(self) -> str | None:
        """The id that it shares with others; a damaged plan names none."""
        try:
            return self.plan.sweep
        except UserError:
            return None

    @property
    def database(self) -> Path:
        """The file that it fills; errors as `plan`."""
        return run_folders.database_of(self.path, self.named_database)

    @property
    def named_database(self) -> str:
        """The database as the plan names it, seen from the run's folder; errors as `plan`."""
        return self._field("database", str)

    @property
    def created_at(self) -> datetime:
        """Errors as `plan`."""
        return self._field("created_at", datetime.fromisoformat)

    def _field(self, name: str, read: Callable[[Any], T]) -> T:
        """What plan.json says under a name."""
        try:
            record = json.loads((self.path / "plan.json").read_bytes())
        except ValueError as error:
            raise UserError(
                f"The plan of run {self.run_id} ({self.path / 'plan.json'}) is damaged: remove the run's folder, "
                "or put the file back."
            ) from error
        try:
            return read(record[name])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(
                f"The plan of run {self.run_id} was written by another version of prune-tui: use that one, "
                "or start the run anew."
            ) from error

    def events(self) -> list[Event]:
        """Every complete event so far; none before the first attempt.

        Raises:
            JournalError: the journal is damaged before its last line.
        """
        return self._read()[0]

    def _read(self) -> tuple[list[Event], int]:
        try:
            return journal.read(self.journal_path)
        except FileNotFoundError:
            return [], 0

    def remove(self) -> None:
        """Take the folder away, at once and whole. The caller holds the run's lock.

        Raises:
            OSError: it stays.
        """
        gone = filenames.beside(self.path, "deleted")
        self.path.rename(gone)
        shutil.rmtree(gone)

    @property
    def stop_path(self) -> Path:
        """Where it is there, whoever carries the run out elsewhere is asked to stop, or with `kill` in it to end it."""
        return self.path / "stop"

    def lock(self, *, by_file: bool = False) -> AbstractContextManager[None]:
        """Hold the run for as long as the block lasts; entering raises RunBusyError if another process works on it.

        `by_file`: whoever holds it heeds `stop_path`, and no signal.
        """
        return runlock.hold(self.lock_path, by_file=by_file)

    def holder(self) -> Holder | None:
        """The process that works on the run now, or None; see `runlock.holder`."""
        return runlock.holder(self.lock_path)

    def state(self) -> RunState:
        """Raises:
        JournalError: the journal is damaged before its last line.
        """
        # The lock first: a worker writes its last event before it lets go.
        if self.holder() is not None:
            return RunState.RUNNING
        history, _ = self._history()
        if (start := self.unanswered(history.turns)) is not None:
            if start.is_alive():
                return RunState.RUNNING
            # It may have written something, and ended, since its journal was read.
            return RunState.INTERRUPTED if self.turns() <= start.turns else self.state()
        return history.state

    def unanswered(self, turns: int) -> launch_record.Start | None:
        """The latest start, if its worker has not written a word; `turns` are those of the run's history."""
        start = launch_record.read(self.path)
        return start if start is not None and start.turns >= turns else None

    def history(self) -> tuple[RunHistory, int]:
        """The run so far, ready to take in what follows in the journal from the byte offset beside it.

        Raises:
            UserError: the journal is damaged before its last line, or the plan is.
        """
        return self._history(tuple(map(str, self.plan.levels)))

    def turns(self) -> int:
        """How many attempts, and ends of attempts, the journal tells of; errors as `history`."""
        return self._history()[0].turns

    def _history(self, levels: tuple[str, ...] = ()) -> tuple[RunHistory, int]:
        history = RunHistory(levels)
        events, offset = self._read()
        for event in events:
            history.take(event)
        return history, offset


def _new_folder(root: Path, created_at: datetime) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    while True:
        # The milliseconds make ids sort by age; the rest tells two processes apart.
        suffix = f"{created_at.microsecond // 1000:03d}{secrets.token_hex(2)}"
        path = root / f"{created_at:%Y%m%d-%H%M%S}-{suffix}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path


def all_runs(database: Path) -> list[RunDir]:
    """A database's runs, oldest first."""
    folders = run_folders.of(database, runs_root(database))
    return [RunDir(folder) for folder in folders if (folder / "plan.json").exists()]


def none_there(database: Path) -> str:
    """A sentence for where a database has no runs; those in its folder may be of one that has another ending."""
    root = runs_root(database)
    others = run_folders.of_others(database, root)
    said = f"There are no runs of {database.name} in {root}" if others else f"There are no runs in {root}"
    for other in others:
        said += f"; it holds runs of {other.name}"
        if not other.exists():
            said += f" (renamed? Make {other} a link to {database.name}, or give the file its name back)"
    return said


def find(database: Path, text: str) -> RunDir:
    """The run of a database that a person means by its id, the beginning of one, its name, or `latest`.

    Raises:
        UserError: no run fits, or several do.
    """
    runs = all_runs(database)
    if not runs:
        raise UserError(
            f"{none_there(database)}: start one with `{hint('run', 'MODEL', db=database)}`, or name another database."
        )
    if text == "latest":
        return runs[-1]
    fitting = runs_called(text, runs)
    if len(fitting) == 1:
        return fitting[0]
    of_sweep = [run for run in runs if run.sweep == text]
    candidates = ", ".join(f"{run.run_id} ({run.name})" for run in reversed((fitting or of_sweep or runs)[-5:]))
    if of_sweep:
        raise UserError(f"'{text}' is a sweep of {len(of_sweep)} runs: name one of them, such as {candidates}.")
    if fitting:
        raise UserError(f"'{text}' fits {len(fitting)} runs: give more of the id, such as {candidates}.")
    raise UserError(f"There is no run '{text}': the latest are {candidates}.")


def _write_durably(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
