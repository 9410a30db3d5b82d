"""What a worker writes: its journal, and from it the warehouse."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from threading import RLock

from engine.gpu import Sampler
from engine.runs.rundir import RunDir
from engine.worker.merging import Merger
from engine.worker.records import PROGRESS_EVERY, Records
from warehouse.records.events import (
    CellProgress,
    Crashed,
    Data,
    Finished,
    GpuSamples,
    Log,
    Refused,
    Stopped,
)
from warehouse.store import journal

_SAMPLES_EVERY = 5.0  # seconds
_LAST = (Stopped, Finished, Refused, Crashed)  # after which a run's journal may end


class Recorder(Records):
    """The journal of the running attempt; finished work goes on to the warehouse as soon as that is free, unless it
    `merges` nothing, since somebody else does.
    """

    def __init__(self, run: RunDir, *, merges: bool = True) -> None:
        self._lock = RLock()
        super().__init__(run.history()[0])
        self._database = run.database.name
        self._journal = journal.Journal(run.journal_path)
        self._merger = Merger(run.database, run.path) if merges else None
        self._last_progress = 0.0
        self._said: set[str] = set()
        self._sampler: Sampler | None = None
        self._last_samples = 0.0

    def record(self, data: Data) -> None:
        with self._lock:
            self._record_samples(at_once=isinstance(data, _LAST))
            self._journal.append(data)

    def sample(self, sampler: Sampler) -> None:
        """From now on, write down what a sampler reads: in batches, between the other events."""
        self._sampler = sampler
        sampler.start()

    def _record_samples(self, *, at_once: bool) -> None:
        now = time.monotonic()
        if self._sampler is None or not (at_once or now - self._last_samples >= _SAMPLES_EVERY):
            return
        self._last_samples = now
        if readings := self._sampler.take():
            self._journal.append(GpuSamples(samples=readings))

    def log(self, message: str, level_name: str = "info") -> None:
        self.record(Log(message=message, level_name=level_name))
        with suppress(OSError):  # the journal has it; a full disk ends the run where that cannot grow
            print(message, file=sys.stderr, flush=True)

    def progress(self, level: str, task: str, done: int, total: int, tokens: int) -> None:
        """At most one event a second, and always the last one."""
        now = time.monotonic()
        if done < total and now - self._last_progress < PROGRESS_EVERY:
            return
        self._last_progress = now
        self.record(CellProgress(level=level, task=task, done=done, total=total, tokens=tokens))

    def merge_soon(self) -> None:
        """Have the warehouse brought up to date beside the work."""
        if self._merger is not None:
            self._merger.ask()
            self._report_merging()

    def hurry_merging(self) -> None:
        """The work comes to its end, where what is not merged by then has to be waited for."""
        if self._merger is not None:
            self._merger.hurry()

    def merge(self, *, wait: float = 0.0, compare_all: bool = False) -> bool:
        """Bring the warehouse up to date now, and say whether that was possible: the journal has everything."""
        if self._merger is not None:
            self._merger.merge(wait=wait, compare_all=compare_all)
        return self._report_merging()

    def _report_merging(self) -> bool:
        problem = None if self._merger is None else self._merger.problem
        if problem is not None and problem not in self._said:
            self._said.add(problem)
            self.log(f"The results wait in the run's journal, since {self._database} took none: {problem}", "warning")
        return problem is None

    def close(self) -> None:
        if self._sampler is not None:
            self._sampler.stop()
        if self._merger is not None:
            self._merger.close()
        self._journal.close()
