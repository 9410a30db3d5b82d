"""The one place that looks at runs: a thread reads their journals as they grow and publishes frozen snapshots.

Screens pull `snapshot` on a timer. The thread never waits for a screen, and a screen never waits for the thread.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import RunBusyError, UserError
from engine.gpu import Meter
from engine.runs import launch_record, rundir
from engine.runs.digests import Digest, Digests, key_of
from engine.runs.rundir import RunDir
from tui.format import utc
from tui.runs.record import RunDetail, RunRecord, RunRow, damaged, newest_first, row_of
from warehouse.records.reading import Reading
from warehouse.records.run_state import RunState
from warehouse.store import journal, run_folders

if TYPE_CHECKING:
    from warehouse.read.runs import RunSummary

_IDLE_SECONDS = 1.0
_WATCH_SECONDS = 0.4
_FIRST_SECONDS = 0.3  # after which a first look shows what it has come to
_READINGS = 300

Mark = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything known at one moment. `detail` is of the watched run.

    `timings` are seconds a cell by (model, task, limit), `startups` the seconds before a model's first cell: both of
    the latest run that tells them.
    """

    runs: tuple[RunRow, ...] = ()
    detail: RunDetail | None = None
    readings: tuple[Reading, ...] = ()
    timings: Mapping[tuple[str, str, float | None], float] = field(default_factory=dict)
    startups: Mapping[str, float] = field(default_factory=dict)
    problem: str | None = None
    loaded: bool = False


@dataclass(slots=True)
class _Known:
    """What is known of a run, and what its files were when that was found out.

    `tail` is there while it is followed event by event: at work, or watched.
    """

    run: RunDir
    mark: Mark | None = None
    row: RunRow | None = None
    digest: Digest | None = None
    tail: _Tail | None = None

    def stays(self, mark: Mark, *, watched: bool) -> bool:
        """Whether it is what it was: one that is at work may do anything, another one only by its files."""
        if self.row is None or self.row.running or mark != self.mark:
            return False
        return self.tail is not None or not watched


@dataclass(slots=True)
class _Tail:
    """A run's record and how far its journal has been read."""

    run: RunDir
    record: RunRecord
    offset: int = 0

    @classmethod
    def of(cls, run: RunDir) -> _Tail:
        return cls(run, RunRecord(run.plan, run_id=run.run_id, created_at=run.created_at, folder=run.path))

    def read_on(self) -> None:
        """Take in what is new.

        Raises:
            JournalError: the journal is damaged.
        """
        try:
            status = self.run.journal_path.stat()
        except FileNotFoundError:
            return
        if status.st_size == self.offset:
            return
        events, self.offset = journal.read(self.run.journal_path, self.offset, after=self.record.history.seq)
        for event in events:
            self.record.feed(event)


class Feed:
    """Follows the runs beside a database. Start it once; `watch` chooses the run whose detail is published."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.snapshot = Snapshot()
        self._watched: str | None = None
        self._digests = Digests(database)
        self._known: dict[str, _Known] = {}
        self._foreign: set[str] = set()  # folders of another database, which shares the place
        self._elsewhere: tuple[int, str] = (
            0,
            "",
        )  # how many these were, and what was said of them
        self._stored: tuple[RunRow, ...] = ()
        self._stored_at: float | None = None
        self._detail_of: tuple[str, int, str] | None = None
        self._problem: str | None = None
        self._meter: Meter | None = None
        self._readings: list[Reading] = []
        self._read_at = 0.0
        self._looked_at = 0.0
        self._wake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended = True
        self._wake.set()

    def join(self) -> None:
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def watch(self, run_id: str | None) -> None:
        """Publish the detail of this run from now on."""
        if run_id != self._watched:
            self._watched = run_id
            self._wake.set()

    def look_again(self, *, database: bool = False) -> None:
        """Something was started or stopped, or the database was changed: look now."""
        if database:
            self._stored_at = None
        self._wake.set()

    def _run(self) -> None:
        self._digests = Digests.load(self.database)
        while not self._ended:
            woken = self._wake.is_set() or not self.snapshot.loaded
            self._wake.clear()
            try:
                if woken or time.monotonic() - self._looked_at >= _IDLE_SECONDS:
                    self._look()
                else:
                    self._follow()
            except (OSError, UserError) as error:
                self._complain(str(error))
            except Exception as error:  # a defect here must not leave a display that looks alive
                self._complain(f"The runs cannot be followed ({type(error).__name__}: {error}).")
            self._wake.wait(_WATCH_SECONDS if self._follows() else _IDLE_SECONDS)
        self._digests.save()
        if self._meter is not None:
            self._meter.close()

    def _follows(self) -> bool:
        """Whether the watched run is at work: then it is looked at more often than the others."""
        watched = self._known.get(self._watched or "")
        return watched is not None and watched.row is not None and watched.row.running

    def _complain(self, problem: str) -> None:
        self.snapshot = replace(self.snapshot, problem=problem, loaded=True)

    def _follow(self) -> None:
        """Look at the watched run alone."""
        if self._watched is not None:
            self._publish(changed=self._look_at(str(rundir.runs_root(self.database)), self._watched))

    def _look(self) -> None:
        """Look at every run."""
        root = rundir.runs_root(self.database)
        self._looked_at = time.monotonic()
        names = run_folders.names(root)
        changed = False
        for gone in self._known.keys() - set(names):
            del self._known[gone]
            self._digests.forget(gone)
            changed = True
        began = time.monotonic()
        for name in reversed(names):  # the latest first: they are what one looks for
            changed |= self._look_at(str(root), name)
            if self._ended:
                return
            if not self.snapshot.loaded and time.monotonic() - began > _FIRST_SECONDS:
                began = time.monotonic()
                self.snapshot = replace(self.snapshot, runs=newest_first(self._rows()))
        self._problem = None if self._known else self._said_of_others()
        if not self.snapshot.loaded:
            self._publish(changed=True)  # the runs at once; the database takes longer
            self._digests.save()
        stored = self._stored
        self._read_database()
        self._publish(changed=changed or self._stored is not stored)

    def _said_of_others(self) -> str | None:
        """Where all runs there are another database's: this one may have been renamed."""
        if not self._foreign:
            return None
        if self._elsewhere[0] != len(self._foreign):
            self._elsewhere = len(self._foreign), f"{rundir.none_there(self.database)}."
        return self._elsewhere[1]

    def _look_at(self, root: str, name: str) -> bool:
        """Find out what has become of a run, if anything may have; whether its line is another one now."""
        if name in self._foreign:
            return False
        known, watched = self._known.get(name), name == self._watched
        mark = _mark(f"{root}/{name}")
        if known is not None and known.stays(mark, watched=watched):
            if not watched:
                known.tail = None  # its events: many, and read again should it be watched again
            return False
        if known is None:
            run = RunDir(Path(root, name))
            if not (run.path / "plan.json").exists():
                return False
            if not run_folders.belongs(run.path, self.database):
                self._foreign.add(name)
                return False
            known = self._known[name] = _Known(run)
        before, known.mark = known.row, mark
        try:
            known.row = self._row(known, watched=watched)
        except FileNotFoundError:  # deleted under our eyes
            del self._known[name]
            return True
        except (UserError, ValueError) as error:
            known.row, known.tail, known.digest = damaged(name, known.run.path, str(error)), None, None
        return known.row != before

    def _row(self, known: _Known, *, watched: bool) -> RunRow:
        """Errors as `RunDir.history`."""
        run, key = known.run, key_of(known.run)
        # The lock first: a worker writes its last event before it lets go.
        if known.tail is None and not watched and not _is_held(run):
            digest = self._digests.of(run)
            if run.unanswered(digest.turns) is None:
                known.digest = digest
                return row_of(digest, run)
        tail = known.tail = known.tail or _Tail.of(run)
        row = tail.record.row(*_state(tail))
        known.digest = Digest.of(run, tail.record.history)
        if not row.running:
            if key == key_of(run):
                self._digests.put(run, key, known.digest)
            if not watched:
                known.tail = None
        return row

    def _publish(self, *, changed: bool) -> None:
        detail = None
        watched = self._known.get(self._watched) if self._watched is not None else None
        if watched is not None and watched.tail is not None and watched.row is not None:
            detail = self._detail(watched.tail, watched.row)
            self._read_meter(detail.row)
        before = self.snapshot
        runs, timings, startups = before.runs, before.timings, before.startups
        if changed:
            rows = self._rows()
            runs = newest_first([*rows, *(row for row in self._stored if row.run_id not in self._known)])
            timings, startups = self._timings(), self._startups()
        self.snapshot = Snapshot(
            runs=runs if runs != before.runs else before.runs,
            detail=detail,
            readings=tuple(self._readings),
            timings=timings,
            startups=startups,
            problem=self._problem,
            loaded=True,
        )

    def _detail(self, tail: _Tail, row: RunRow) -> RunDetail:
        from warehouse.read.headlines import headlines

        before = self.snapshot.detail
        key = (tail.run.run_id, tail.offset, row.state)
        if before is None or key != self._detail_of or row.running:
            self._detail_of = key
            return tail.record.detail(headlines(), row.state, row.note, now=time.time())
        return before

    def _read_meter(self, row: RunRow) -> None:
        """This machine's devices, once a second, while a run is watched."""
        if self._meter is None:
            self._meter = Meter()
        self._meter.pid = row.pid if row.running else None
        if time.monotonic() - self._read_at >= 1.0:
            self._read_at = time.monotonic()
            self._readings += self._meter.read()
            del self._readings[:-_READINGS]

    def _read_database(self) -> None:
        """Runs that only the database knows: imports, and runs whose folders are gone."""
        if self._stored_at is not None and (self._changed_at() == self._stored_at or self._busy()):
            return
        if not self.database.exists():
            self._stored = ()
            return
        from warehouse.read.runs import list_runs  # loads duckdb, once the first screen is shown

        changed_at = self._changed_at()
        try:
            self._stored = tuple(_stored(summary) for summary in list_runs(self.database, wait=0.0))
        except UserError as error:  # held by another process, or no database of ours: runs are shown all the same
            self._problem = str(error)
        else:
            self._stored_at = changed_at

    def _changed_at(self) -> float | None:
        try:
            return self.database.stat().st_mtime
        except FileNotFoundError:
            return None

    def _busy(self) -> bool:
        """A run at work merges every few seconds; its journal has all that the list shows."""
        return any(row.running for row in self.snapshot.runs)

    def _rows(self) -> list[RunRow]:
        return [known.row for known in self._known.values() if known.row is not None]

    def _timings(self) -> dict[tuple[str, str, float | None], float]:
        timings = {}
        for digest in self._oldest_first():
            for task, seconds in digest.seconds_per_cell.items():
                timings[digest.asked_model, task, digest.limit] = seconds
        return timings

    def _startups(self) -> dict[str, float]:
        told = ((digest.asked_model, digest.startup_seconds) for digest in self._oldest_first())
        return {model: seconds for model, seconds in told if seconds is not None}

    def _oldest_first(self) -> list[Digest]:
        digests = [known.digest for known in self._known.values() if known.digest is not None]
        return sorted(digests, key=lambda digest: digest.created_at)


def _mark(folder: str) -> Mark:
    """What changes as soon as anything befalls a run: its journal grows, its lock is taken, its folder gets a file.

    Asked of every run every second, so by plain strings: a Path costs as much as the question.
    """
    return tuple(_times(path) for path in (folder, f"{folder}/journal.jsonl", f"{folder}/run.lock"))


def _times(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _is_held(run: RunDir) -> bool:
    try:
        return run.holder() is not None
    except RunBusyError:
        return True


def _state(tail: _Tail) -> tuple[str, str | None]:
    """Where the run stands and, where its journal does not tell it, why."""
    # The lock first: a worker writes its last event before it lets go.
    if _is_held(tail.run):
        tail.read_on()
        return RunState.RUNNING, None
    tail.read_on()
    history = tail.record.history
    if (start := tail.run.unanswered(history.turns)) is not None:
        if start.is_alive():
            return RunState.RUNNING, None
        tail.read_on()  # what it wrote before it ended, after we looked
    if start is None or history.turns > start.turns:
        return history.state, None
    last = launch_record.reason(tail.run.log_path, start)
    return RunState.INTERRUPTED, f"Its worker ended before it began{f': {last}' if last else ', without a word'}"


def _stored(summary: RunSummary) -> RunRow:
    states = {"planned": RunState.QUEUED, "started": RunState.INTERRUPTED}
    return RunRow(
        run_id=summary.run_id,
        name=summary.name,
        model=summary.model or "",
        method=summary.method or "",
        suite=summary.suite,
        levels=tuple(summary.levels),
        tasks=(),
        state=states.get(summary.state, summary.state),
        done=summary.cells_done,
        failed=summary.cells_failed,
        total=summary.cells_done + summary.cells_failed if summary.state == "finished" else None,
        current=None,
        seconds_left=None,
        created_at=utc(summary.created_at),
        origin=summary.origin,
    )
