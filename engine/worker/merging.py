"""Bringing the warehouse up to date beside the work: the journal is on disk by then, so nothing waits for this."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event, Lock, Thread

import duckdb

from warehouse.errors import UserError
from warehouse.merging.merge import merge_run
from warehouse.processes import cores

_PAUSE = 2.0  # seconds between two merges, in which others have the file
_SHARE = 0.05  # of the time at most that merges take while the work goes on: they take it from the work on few cores
_LAST_SHARE = 0.5  # the same towards the end, where there are many of them
_MANY_CORES = 8
_PATIENCE = 2.0  # seconds for which a merge waits for others to leave the file


class Merger:
    """Merges one run's journal on a thread of its own: whatever has come by then, at once.

    Attributes:
        problem: why the latest merge was not possible, or None; it is tried again by itself.
    """

    def __init__(self, database: Path, run_dir: Path) -> None:
        self.problem: str | None = None
        self._database = database
        self._run_dir = run_dir
        self._defect: BaseException | None = None
        self._share = _SHARE
        self._asked = Event()
        self._turn = Event()  # ends a pause
        self._closing = Event()
        self._merging = Lock()
        # A daemon, so that an interpreter that ends without `close` does not wait for it.
        self._thread = Thread(target=self._work, name="merger", daemon=True)
        self._thread.start()

    def ask(self) -> None:
        """Have what is in the journal by now merged soon.

        Raises:
            Exception: what an earlier merge met, if that is no matter of the file or the disk.
        """
        if self._defect is not None:
            raise self._defect
        self._asked.set()

    def hurry(self) -> None:
        """Merge as often as may be from now on, so that little is left for the end of the work."""
        if cores() >= _MANY_CORES:
            self._share = _LAST_SHARE
            self._turn.set()

    def merge(self, *, wait: float, compare_all: bool = False) -> None:
        """Merge at once; `wait` is how many seconds to go on trying while another process holds the file."""
        with self._merging:
            try:
                merge_run(self._database, self._run_dir, wait=wait, compare_all=compare_all)
            except (UserError, duckdb.Error, OSError) as error:
                self.problem = str(error)
            else:
                self.problem = None

    def close(self) -> None:
        """Wait for the merge under way, and begin no other."""
        self._closing.set()
        self._asked.set()
        self._turn.set()
        self._thread.join()

    def _work(self) -> None:
        while True:
            self._asked.wait()
            if self._closing.is_set():
                return
            self._asked.clear()
            began = time.monotonic()
            try:
                self.merge(wait=_PATIENCE)
            except BaseException as defect:  # the worker's to report
                self._defect = defect
                return
            took = time.monotonic() - began
            if self.problem is not None:
                self._asked.set()
                took = 0.0  # it waited, and did nothing
            self._turn.wait(_pause(took, self._share))
            if not self._closing.is_set():
                self._turn.clear()


def _pause(took: float, share: float) -> float:
    """Seconds until the next merge, after one that took so many."""
    return max(_PAUSE, took / share)
