"""What a worker writes: its journal, and from it the warehouse."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import RLock

from engine.gpu import Sampler
from engine.runs.rundir import RunDir
from engine.worker.merging import Merger
from warehouse.records.events import (
    CellProgress,
    Crashed,
    Data,
    Finished,
    GpuSamples,
    Log,
    Refused,
    Stage,
    StageProgress,
    Stopped,
)
from warehouse.store import journal

_PROGRESS_EVERY = 1.0  # seconds
_SAMPLES_EVERY = 5.0  # seconds
Report = Callable[[int, int | None], None]
"""How far a stage has come, told as units that are done and how many there are."""
_LAST = (Stopped, Finished, Refused, Crashed)  # after which a run's journal may end


class Recorder:
    """The journal of the running attempt; finished work goes on to the warehouse as soon as that is free, unless it
    `merges` nothing, since somebody else does.

    Stages that are at work side by side write to it from threads of their own.
    """

    def __init__(self, run: RunDir, *, merges: bool = True) -> None:
        self._lock = RLock()
        self.history = run.history()[0]  # what earlier attempts left behind
        self._database = run.database.name
        self._journal = journal.Journal(run.journal_path)
        self._merger = Merger(run.database, run.path) if merges else None
        self._last_progress = 0.0
        self._said: set[str] = set()
        self._sampler: Sampler | None = None
        self._last_samples = 0.0

    def record(self, data: Data) -> None:
        """Raises:
        OSError: the disk is full or the folder cannot be written.
        """
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
        if done < total and now - self._last_progress < _PROGRESS_EVERY:
            return
        self._last_progress = now
        self.record(CellProgress(level=level, task=task, done=done, total=total, tokens=tokens))

    @contextmanager
    def stage(
        self, name: str, level: str | None = None, *, total: int | None = None, unit: str = ""
    ) -> Iterator[Report]:
        """Write down that a block begins, how far it has come by its own report (at most once a second), and how long
        it took, if it got to its end.
        """
        start = last = time.monotonic()

        def report(done: int, total: int | None) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PROGRESS_EVERY:
                last = now
                self.record(StageProgress(stage=name, level=level, done=done, total=total, unit=unit))

        self.record(StageProgress(stage=name, level=level, done=0, total=total, unit=unit))
        yield report
        self.record(Stage(stage=name, level=level, seconds=round(time.monotonic() - start, 6)))

    def merge_soon(self) -> None:
        """Have the warehouse brought up to date beside the work."""
        if self._merger is not None:
            self._merger.ask()
            self._report_merging()

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
