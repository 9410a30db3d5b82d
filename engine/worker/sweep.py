"""The work of a run: level by level, task by task, every finished cell written down at once."""

from __future__ import annotations

import gc
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import zip_longest

import torch

from engine.evaluation.answers import answers_of
from engine.evaluation.documents import write_documents
from engine.evaluation.lm import PrunedLM
from engine.evaluation.samples import write_samples
from engine.evaluation.scoring import aggregate, prepare, score
from engine.evaluation.tasks import BuiltTask
from engine.inference.batching import release_memory
from engine.pruning.ladder import Ladder
from engine.runs.rundir import RunDir
from engine.worker.recorder import Recorder
from engine.worker.stopping import StopFlag
from engine.worker.supply import Supply
from warehouse.records.events import CellStarted
from warehouse.records.facts import CellFacts, DocumentsFacts, FailureFacts, VariantFacts
from warehouse.records.questions import combined_hash

_HARNESS_VERSION = version("lm-eval")
_POLL_SECONDS = 0.1


@dataclass(slots=True)
class Sweep:
    """Evaluates every task at every variant, widest first, leaving out what the run's history has.

    Tasks may still be in the making: at the first level they are evaluated as they come.
    """

    run: RunDir
    recorder: Recorder
    stop: StopFlag
    lm: PrunedLM
    ladder: Ladder
    variants: list[VariantFacts]
    tasks: Supply
    attempt: int
    _undocumented: set[str] = field(default_factory=set[str])
    _left_out: set[str] = field(default_factory=set[str])
    _heap_is_settled: bool = False

    def __call__(self) -> int:
        """Returns the number of cells that ended in an error.

        Raises:
            StopRequested: between two batches, when asked to stop.
            UserError: a task cannot be built, and the plan does not leave such tasks out.
        """
        failed = sum(map(self._leave_out, list(self.tasks.broken)))
        with ThreadPoolExecutor(1, "next task") as beside:
            for variant in sorted(self.variants, key=lambda variant: -variant.width):
                missing = [name for name in self.tasks.names if (variant.level, name) not in self._cells]
                if missing:
                    with self.recorder.stage("prune", variant.level):
                        self.ladder.set_width(variant.width)
                ready = beside.submit(self._prepare, missing[0]) if missing else None
                for name, following in zip_longest(missing, missing[1:]):
                    self.stop.check()
                    if ready is not None:
                        self._wait(ready)  # what goes wrong there goes wrong again in the cell, which says so
                    task = self.tasks.get(name)
                    self._settle_heap()
                    ready = beside.submit(self._prepare, following) if following else None
                    if task is None:
                        failed += self._leave_out(name)
                        continue
                    failed += not self._cell(variant.level, task)
                    self._groups(variant.level)
                    self.recorder.merge_soon()
                self._groups(variant.level)
            for name in self.tasks.names:  # also those that have all of their cells: their prompts may have changed
                if self.tasks.get(name) is None:
                    failed += self._leave_out(name)
        return failed

    def _prepare(self, name: str) -> None:
        """Lay a task out as soon as its requests are written."""
        if (task := self.tasks.get(name)) is not None:
            prepare(task, self.lm)

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

    def _cell(self, level: str, built: BuiltTask) -> bool:
        """Score one task and write it down; False if it failed, which is written down as well."""
        self.recorder.record(CellStarted(level=level, task=built.name))
        self.lm.progress = self._progress_of(level, built)
        start = time.monotonic()
        try:
            metrics, samples = score(built, self.lm)
            answers = answers_of(built.instances)
        except torch.AcceleratorError:
            raise  # the CUDA context is gone: every later cell would fail for the same reason
        except Exception as error:
            self._fail(level, built.name, error)
            return False
        finally:
            self.lm.progress = lambda requests, tokens: None
        path, samples_hash = write_samples(
            self.run.samples_dir,
            level=level,
            task=built.name,
            attempt=self.attempt,
            samples=samples,
            answers=answers,
        )
        seconds = round(time.monotonic() - start, 3)
        self._document(built)
        self._finish(
            CellFacts(
                level=level,
                task=built.name,
                part_of=built.facts.part_of,
                is_group=False,
                version=built.facts.version,
                num_fewshot=built.facts.num_fewshot,
                seconds=seconds,
                metrics=metrics,
                samples=str(path.relative_to(self.run.path)),
                questions_hash=built.facts.questions_hash,
                tokens_hash=built.facts.tokens_hash,
                harness_version=_HARNESS_VERSION,
                samples_hash=samples_hash,
            )
        )
        return True

    def _document(self, built: BuiltTask) -> None:
        """Keep a task's documents, unless the run has them: also one that began before there was such a file."""
        if built.name in self.recorder.history.documents or built.name in self._undocumented:
            return
        try:
            path, hash_, count = write_documents(self.run.documents_dir, built, attempt=self.attempt)
        except OSError:
            raise
        except Exception as error:  # of a task's own code, asked for the question and its answer: scores stand without
            self._undocumented.add(built.name)
            why = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            self.recorder.log(f"The documents of {built.name} are not kept for reading: {why}", "warning")
            return
        where = str(path.relative_to(self.run.path))
        documents = DocumentsFacts(task=built.name, path=where, hash=hash_, count=count)
        self.recorder.record(documents)
        self.recorder.history.documents[built.name] = documents

    def _groups(self, level: str) -> None:
        """Write down the aggregate of every group whose tasks are all there now."""
        for group in self.tasks.groups:
            if not group.has_aggregation or (level, group.name) in self._cells:
                continue
            start = time.monotonic()
            metrics = aggregate(group, {task: cell for (at, task), cell in self._cells.items() if at == level})
            if metrics is None:
                continue
            parts = {name: self._cells[level, name] for name in (task.task_name for task in group.get_all_tasks())}
            shots = {cell.num_fewshot for cell in parts.values()}
            versions = {cell.harness_version for cell in parts.values()}
            self._finish(
                CellFacts(
                    level=level,
                    task=group.name,
                    part_of=self.tasks.parent(group.name),
                    is_group=True,
                    version=group.version,
                    num_fewshot=shots.pop() if len(shots) == 1 else -1,
                    seconds=round(time.monotonic() - start, 3),
                    metrics=metrics,
                    questions_hash=combined_hash({name: cell.questions_hash for name, cell in parts.items()}),
                    tokens_hash=combined_hash({name: cell.tokens_hash for name, cell in parts.items()}),
                    harness_version=versions.pop() if len(versions) == 1 else None,
                )
            )

    def _finish(self, cell: CellFacts) -> None:
        self.recorder.record(cell)
        self._cells[cell.level, cell.task] = cell

    def _fail(self, level: str, task: str, error: Exception) -> None:
        message = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        detail = "".join(traceback.format_exception(error))
        self.recorder.record(FailureFacts(level=level, task=task, error=message, detail=detail))
        self.recorder.log(f"{task} at level {level} failed: {message}", "error")
        error.__traceback__ = None  # it holds the failed batch's tensors
        release_memory()

    def _progress_of(self, level: str, built: BuiltTask):
        done = tokens = 0

        def progress(new_requests: int, new_tokens: int) -> None:
            nonlocal done, tokens
            done += new_requests
            tokens += new_tokens
            if new_requests:
                self.recorder.progress(level, built.name, done, built.facts.n_requests or 0, tokens)
            self.stop.check()

        return progress
