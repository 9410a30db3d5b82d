"""The one place that looks at runs: a thread reads their journals as they grow and publishes frozen snapshots.

Screens pull `snapshot` on a timer. The thread never waits for a screen, and a screen never waits for the thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine import rundir, started
from engine.errors import RunBusyError, UserError
from engine.gpu import Meter
from engine.rundir import RunDir
from tui.format import utc
from tui.record import RunDetail, RunRecord, RunRow, damaged, newest_first
from warehouse import journal
from warehouse.records.reading import Reading
from warehouse.records.run_state import RunState

if TYPE_CHECKING:
    from warehouse.runs import RunSummary

_IDLE_SECONDS = 1.0
_WATCH_SECONDS = 0.4
_READINGS = 300


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
class _Tail:
    """A run's record and how far its journal has been read."""

    run: RunDir
    record: RunRecord
    offset: int = 0

    def read_on(self) -> bool:
        """Take in what is new; whether there was anything.

        Raises:
            JournalError: the journal is damaged.
        """
        try:
            status = self.run.journal_path.stat()
        except FileNotFoundError:
            return False
        if status.st_size == self.offset:
            return False
        events, self.offset = journal.read(self.run.journal_path, self.offset, after=self.record.history.seq)
        for event in events:
            self.record.feed(event)
        return bool(events)


class Feed:
    """Follows the runs beside a database. Start it once; `watch` chooses the run whose detail is published."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.snapshot = Snapshot()
        self._watched: str | None = None
        self._tails: dict[str, _Tail] = {}
        self._stored: tuple[RunRow, ...] = ()
        self._stored_at: float | None = None
        self._detail_of: tuple[str, int, str] | None = None
        self._problem: str | None = None
        self._meter: Meter | None = None
        self._readings: list[Reading] = []
        self._read_at = 0.0
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
        while not self._ended:
            self._wake.clear()
            try:
                self._look()
            except (OSError, UserError) as error:
                self._complain(str(error))
            except Exception as error:  # a defect here must not leave a display that looks alive
                self._complain(f"The runs cannot be followed ({type(error).__name__}: {error}).")
            self._wake.wait(_WATCH_SECONDS if self._watched else _IDLE_SECONDS)
        if self._meter is not None:
            self._meter.close()

    def _complain(self, problem: str) -> None:
        self.snapshot = replace(self.snapshot, problem=problem, loaded=True)

    def _look(self) -> None:
        broken: dict[str, RunRow] = {}
        found = {run.run_id: run for run in rundir.all_runs(self.database)}
        for gone in set(self._tails) - set(found):
            del self._tails[gone]
        for run_id, run in found.items():
            try:
                tail = self._tails.get(run_id)
                if tail is None:
                    record = RunRecord(run.plan, run_id=run_id, created_at=run.created_at, folder=run.path)
                    tail = self._tails[run_id] = _Tail(run, record)
                tail.read_on()
            except (UserError, ValueError) as error:
                broken[run_id] = damaged(run_id, run.path, str(error))
            except FileNotFoundError:  # deleted under our eyes
                self._tails.pop(run_id, None)
        self._problem = None
        if not self.snapshot.loaded:
            self._publish(broken)  # the runs at once; the database takes longer
        self._read_database()
        self._publish(broken)

    def _publish(self, broken: dict[str, RunRow]) -> None:
        rows, states = dict(broken), {}
        for run_id, tail in self._tails.items():
            if run_id not in broken:
                states[run_id] = _state(tail)
                rows[run_id] = tail.record.row(*states[run_id])
        stored = [row for row in self._stored if row.run_id not in rows]
        detail = None
        if (watched := self._watched) is not None and watched in states:
            detail = self._detail(self._tails[watched], *states[watched])
            self._read_meter(detail.row)
        runs = newest_first([*rows.values(), *stored])
        self.snapshot = Snapshot(
            runs=runs if runs != self.snapshot.runs else self.snapshot.runs,
            detail=detail,
            readings=tuple(self._readings),
            timings=self._timings(),
            startups=self._startups(),
            problem=self._problem,
            loaded=True,
        )

    def _detail(self, tail: _Tail, state: str, note: str | None) -> RunDetail:
        from warehouse.headlines import headlines

        before = self.snapshot.detail
        key = (tail.run.run_id, tail.offset, state)
        if before is None or key != self._detail_of or state == RunState.RUNNING:
            self._detail_of = key
            return tail.record.detail(headlines(), state, note, now=time.time())
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
        from warehouse.runs import list_runs  # loads duckdb, once the first screen is shown

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

    def _timings(self) -> dict[tuple[str, str, float | None], float]:
        timings = {}
        for record in self._oldest_first():
            for task, seconds in record.history.seconds_per_cell().items():
                timings[record.plan.model, task, record.plan.limit] = seconds
        return timings

    def _startups(self) -> dict[str, float]:
        told = ((record.plan.model, record.history.startup_seconds) for record in self._oldest_first())
        return {model: seconds for model, seconds in told if seconds is not None}

    def _oldest_first(self) -> list[RunRecord]:
        return sorted((tail.record for tail in self._tails.values()), key=lambda record: record.created_at)


def _state(tail: _Tail) -> tuple[str, str | None]:
    """Where the run stands and, where its journal does not tell it, why."""
    # The lock first: a worker writes its last event before it lets go.
    try:
        if tail.run.holder() is not None:
            return RunState.RUNNING, None
    except RunBusyError:
        return RunState.RUNNING, None
    tail.read_on()
    history = tail.record.history
    if (start := tail.run.unanswered(history.turns)) is not None:
        if start.is_alive():
            return RunState.RUNNING, None
        tail.read_on()  # what it wrote before it ended, after we looked
    if start is None or history.turns > start.turns:
        return history.state, None
    last = started.reason(tail.run.log_path, start)
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
