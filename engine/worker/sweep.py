"""The work of a run: level by level, task by task, every finished cell written down beside the asking of the next."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from engine.evaluation.answering import AnsweringLM
from engine.evaluation.asking import Asked, ask, prepare
from engine.inference.batching import release_memory
from engine.worker.damage import DamageCells
from engine.worker.recorder import Recorder
from engine.worker.stopping import StopFlag
from engine.worker.supply import Supply
from warehouse.records.events import CellStarted
from warehouse.records.facts import CellFacts, FailureFacts, VariantFacts
from warehouse.stats.metrics.damage import TASK as DAMAGE

_POLL_SECONDS = 0.1


class Judges(Protocol):
    """Who takes answers and writes down what they come to, in the order of their coming."""

    failed: int

    def hand_in(self, level: str, asked: Any, answers: Sequence[Any], seconds: float, /) -> None: ...
    def keep(self, cell: CellFacts) -> None: ...
    def groups(self, level: str) -> None: ...
    def fail(self, level: str, task: str, error: Exception) -> None: ...


class Widths(Protocol):
    """A model whose width may change between cells, from `full_size` neurons a layer down."""

    @property
    def full_size(self) -> int: ...
    def set_width(self, width: int, /) -> object: ...


@dataclass(frozen=True, slots=True)
class AsSaved:
    """A model that another program holds: it stays as wide as it is."""

    full_size: int

    def set_width(self, width: int, /) -> None:
        if width != self.full_size:
            raise ValueError(f"{width} neurons of a model that keeps {self.full_size}")


class _ThreadAhead(ThreadPoolExecutor):
    """A thread that lays tasks out as they come, one after another; an end of the block leaves out what is left."""

    def __init__(self) -> None:
        super().__init__(1, "next tasks")

    def __exit__(self, *_: object) -> None:
        self.shutdown(cancel_futures=True)


@dataclass(slots=True)
class Sweep:
    """Evaluates every task at every variant, widest first, leaving out what the run's history has.

    Tasks may still be in the making: at the first level they are evaluated as they come, in the plan's order.
    """

    recorder: Recorder
    stop: StopFlag
    lm: AnsweringLM
    ladder: Widths
    variants: list[VariantFacts]
    tasks: Supply[Any]
    judging: AbstractContextManager[Judges]
    damage: DamageCells | None = None
    _left_out: set[str] = field(default_factory=set[str])
    _heap_is_settled: bool = False

    def __call__(self) -> int:
        """Returns the number of cells that ended in an error.

        Raises:
            StopRequested: between two batches, when asked to stop.
            UserError: a task cannot be built, and the plan does not leave such tasks out.
        """
        failed = sum(map(self._leave_out, list(self.tasks.broken)))
        variants = sorted(self.variants, key=lambda variant: -variant.width)
        with _ThreadAhead() as ahead, self.judging as judging:
            for variant in variants:
                missing = [name for name in self.tasks.names if (variant.level, name) not in self._cells]
                if variant is not variants[0] and self.tasks.is_whole:
                    missing.sort(key=self._judged_soon)
                if variant is variants[-1]:
                    self.recorder.hurry_merging()
                is_due = self.damage is not None and (variant.level, DAMAGE) not in self._cells
                if missing or is_due:
                    with self.recorder.stage("prune", variant.level):
                        self.ladder.set_width(variant.width)
                if self.damage is not None and is_due:
                    failed += self._damage(self.damage, variant, judging)
                for name, ready in [(name, ahead.submit(self._prepare, name)) for name in missing]:
                    self.stop.check()
                    self._wait(ready)  # what goes wrong there goes wrong again in the cell, which says so
                    task = self.tasks.get(name)
                    self._settle_heap()
                    if task is None:
                        failed += self._leave_out(name)
                        continue
                    self._cell(variant.level, task, judging)
                judging.groups(variant.level)
            for name in self.tasks.names:  # also those that have all of their cells: their prompts may have changed
                if self.tasks.get(name) is None:
                    failed += self._leave_out(name)
        return failed + judging.failed

    def _prepare(self, name: str) -> None:
        """Lay a task out as soon as its requests are written."""
        if (task := self.tasks.get(name)) is not None:
            prepare(task, self.lm)

    def _judged_soon(self, name: str) -> bool:
        """Whether a task writes no texts: judging those takes seconds, so they are asked first where the order is free,
        and nothing waits for them at the end.
        """
        task = self.tasks.get(name)
        return task is None or all(one.request_type != "generate_until" for one in task.instances)

    def _wait(self, ready: Future[None]) -> None:
        while not wait([ready], _POLL_SECONDS).done:
            self.stop.check()

    def _settle_heap(self) -> None:
        """Requests stay to the end: no collection has to look at their million objects, half a second each time.

        Between two cells, since what is garbage by then would never be collected.
        """
        if not self._heap_is_settled and self.tasks.is_whole:
            self._heap_is_settled = True
            gc.collect()
            gc.freeze()

    def _leave_out(self, task: str) -> int:
        """Write down a task that could not be built as cells that failed: the next attempt tries them again."""
        missing = [variant.level for variant in self.variants if (variant.level, task) not in self._cells]
        if task in self._left_out or not missing:
            return 0
        self._left_out.add(task)
        why = self.tasks.broken[task]
        for level in missing:
            self.recorder.record(FailureFacts(level=level, task=task, error=why, detail=why))
        self.recorder.log(why, "error")
        return len(missing)

    @property
    def _cells(self) -> dict[tuple[str, str], CellFacts]:
        return self.recorder.history.cells

    def _cell(self, level: str, built: Asked, judging: Judges) -> None:
        """Ask one task's requests and hand the answers in; if that fails, it is written down."""
        self.recorder.record(CellStarted(level=level, task=built.name))
        self.lm.progress = self._progress_of(level, built)
        start = time.monotonic()
        try:
            answers = ask(built, self.lm)
        except torch.AcceleratorError:
            raise  # the CUDA context is gone: every later cell would fail for the same reason
        except Exception as error:
            judging.fail(level, built.name, error)
            release_memory()
            return
        finally:
            self.lm.progress = lambda requests, tokens: None
        judging.hand_in(level, built, answers, time.monotonic() - start)

    def _damage(self, damage: DamageCells, variant: VariantFacts, judging: Judges) -> int:
        """Measure one level's damage; 1 if that failed, which is written down."""
        self.recorder.record(CellStarted(level=variant.level, task=DAMAGE))
        try:
            cell = damage.measure(variant.level, is_unpruned=variant.width == self.ladder.full_size)
        except (torch.AcceleratorError, OSError):
            raise
        except Exception as error:
            judging.fail(variant.level, DAMAGE, error)
            release_memory()
            return 1
        judging.keep(cell)
        return 0

    def _progress_of(self, level: str, built: Asked):
        done = tokens = 0

        def progress(new_requests: int, new_tokens: int) -> None:
            nonlocal done, tokens
            done += new_requests
            tokens += new_tokens
            if new_requests:
                self.recorder.progress(level, built.name, done, built.facts.n_requests or 0, tokens)
            self.stop.check()

        return progress
