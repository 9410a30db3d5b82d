"""The one place that looks at runs: a thread reads their journals as they grow and publishes frozen snapshots.

Screens pull `snapshot` on a timer. The thread never waits for a screen, and a screen never waits for the thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import UserError
from engine.runs import past, rundir
from engine.runs.digests import Digest, Digests
from engine.runs.rundir import RunDir
from engine.sweeps.driving import carried_out_by
from tui.runs.followed import FollowedRun, Tail, mark_of
from tui.runs.record import RunDetail, RunRow, newest_first
from tui.runs.snapshot import Snapshot
from tui.runs.stored import StoredRuns
from warehouse.errors import DatabaseBusyError
from warehouse.records.reading import Reading
from warehouse.records.run_state import RunState
from warehouse.store import run_folders

if TYPE_CHECKING:
    from engine.gpu import GpuProcess, Meter

_IDLE_SECONDS = 1.0
_WATCH_SECONDS = 0.4
_FIRST_SECONDS = 0.3  # after which a first look shows what it has come to
_READINGS = 300


class Feed:
    """Follows the runs beside a database. Start it once; `watch` chooses the run whose detail is published."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.snapshot = Snapshot()
        self._watched: str | None = None
        self._digests = Digests(database)
        self._runs: dict[str, FollowedRun] = {}
        self._foreign: set[str] = set()  # folders of another database, which shares the place
        self._elsewhere: tuple[int, str] = (0, "")  # how many these were, and what was said of them
        self._stored = StoredRuns(database)
        self._detail_of: tuple[str, int, str] | None = None
        self._problem: str | None = None
        self._meter: Meter | None = None
        self._readings: list[Reading] = []
        self._processes: tuple[GpuProcess, ...] = ()
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
            self._stored.read_anew()
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
        watched = self._runs.get(self._watched or "")
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
        for gone in self._runs.keys() - set(names):
            del self._runs[gone]
            self._digests.drop(gone)
            changed = True
        began = time.monotonic()
        for name in reversed(names):  # the latest first: they are what one looks for
            changed |= self._look_at(str(root), name)
            if self._ended:
                return
            if not self.snapshot.loaded and time.monotonic() - began > _FIRST_SECONDS:
                began = time.monotonic()
                self.snapshot = replace(self.snapshot, runs=newest_first(self._rows()))
        self._problem = None if self._runs else self._said_of_others()
        if not self.snapshot.loaded:
            # The runs at once; the database takes longer, and until it was read nobody knows that there are none.
            self._publish(changed=True, loaded=bool(self._runs) or not self.database.exists())
            self._digests.save()
        stored = self._stored.rows
        try:
            self._stored.read(busy=any(row.running for row in self.snapshot.runs))
        except UserError as error:  # runs are shown all the same
            self._problem = self._problem if self._is_merging(error) else str(error)
        self._publish(changed=changed or self._stored.rows is not stored)

    def _is_merging(self, error: UserError) -> bool:
        """Whether it is a run at work that has the database open, as each does every few seconds."""
        holder = (isinstance(error, DatabaseBusyError) and error.holder) or ""
        return any(row.running and f"(PID {row.pid})" in holder for row in self._rows())

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
        run, watched = self._runs.get(name), name == self._watched
        mark = mark_of(f"{root}/{name}")
        if run is not None and run.stays(mark, watched=watched):
            if not watched:
                run.tail = None  # its events: many, and read again should it be watched again
            return False
        if run is None:
            folder = RunDir(Path(root, name))
            if not (folder.path / "plan.json").exists():
                return False
            if not run_folders.belongs(folder.path, self.database):
                self._foreign.add(name)
                return False
            run = self._runs[name] = FollowedRun(folder)
        try:
            return run.look(mark, self._digests, watched=watched)
        except FileNotFoundError:  # deleted under our eyes
            del self._runs[name]
            return True

    def _publish(self, *, changed: bool, loaded: bool = True) -> None:
        detail = None
        watched = self._runs.get(self._watched) if self._watched is not None else None
        if watched is not None and watched.tail is not None and watched.row is not None:
            detail = self._detail(watched.tail, watched.row)
            self._read_meter(detail.row)
        before = self.snapshot
        runs, timings, startups, lookings = before.runs, before.timings, before.startups, before.lookings
        draws = before.draws
        if changed:
            rows = self._rows()
            runs = newest_first([*rows, *(row for row in self._stored.rows if row.run_id not in self._runs)])
            oldest_first = self._oldest_first()
            timings, startups = past.timings(oldest_first), past.startups(oldest_first)
            lookings, draws = past.lookings(oldest_first), past.draws(oldest_first)
        self.snapshot = Snapshot(
            runs=runs if runs != before.runs else before.runs,
            detail=detail,
            readings=tuple(self._readings),
            processes=self._processes,
            timings=timings,
            startups=startups,
            lookings=lookings,
            draws=draws,
            driven=self._driven(runs),
            problem=self._problem,
            loaded=loaded,
        )

    def _driven(self, runs: Sequence[RunRow]) -> frozenset[str]:
        """The sweeps that somebody carries out, of those that are not done."""
        unfinished = {row.sweep for row in runs if row.sweep is not None and row.state != RunState.FINISHED}
        return frozenset(sweep for sweep in unfinished if carried_out_by(self.database, sweep) is not None)

    def _detail(self, tail: Tail, row: RunRow) -> RunDetail:
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
            from engine.gpu import Meter  # the first screen is drawn without it

            self._meter = Meter()
        self._meter.pid = row.pid if row.running else None
        if time.monotonic() - self._read_at >= 1.0:
            self._read_at = time.monotonic()
            self._readings += self._meter.read()
            processes = tuple(self._meter.processes())
            self._processes = self._processes if processes == self._processes else processes
            del self._readings[:-_READINGS]

    def _rows(self) -> list[RunRow]:
        return [run.row for run in self._runs.values() if run.row is not None]

    def _oldest_first(self) -> list[Digest]:
        digests = [run.digest for run in self._runs.values() if run.digest is not None]
        return sorted(digests, key=lambda digest: digest.created_at)
