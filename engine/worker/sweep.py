"""The work of a run: level by level, task by task, every finished cell written down at once."""

from __future__ import annotations

import time
import traceback
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import zip_longest

import torch

from engine.evaluation.answers import answers_of
from engine.evaluation.documents import write_documents
from engine.evaluation.lm import PrunedLM
from engine.evaluation.samples import write_samples
from engine.evaluation.scoring import aggregate, prepare, score
from engine.evaluation.tasks import BuiltTask, TaskSet
from engine.inference.batching import release_memory
from engine.pruning.ladder import Ladder
from engine.runs.rundir import RunDir
from engine.worker.recorder import Recorder
from engine.worker.stopping import StopFlag
from warehouse.records.events import CellStarted
from warehouse.records.facts import CellFacts, DocumentsFacts, FailureFacts, VariantFacts
from warehouse.records.questions import combined_hash

_HARNESS_VERSION = version("lm-eval")


@dataclass(slots=True)
class Sweep:
    """Evaluates every task at every variant, widest first, leaving out what the run's history has."""

    run: RunDir
    recorder: Recorder
    stop: StopFlag
    lm: PrunedLM
    ladder: Ladder
    variants: list[VariantFacts]
    tasks: TaskSet
    attempt: int
    _undocumented: set[str] = field(default_factory=set[str])

    def __call__(self) -> int:
        """Returns the number of cells that ended in an error.

        Raises:
            StopRequested: between two batches, when asked to stop.
        """
        failed = self._broken()
        with ThreadPoolExecutor(1, "next task") as beside:
            for variant in sorted(self.variants, key=lambda variant: -variant.width):
                missing = [task for task in self.tasks.tasks if (variant.level, task.name) not in self._cells]
                if missing:
                    with self.recorder.stage("prune", variant.level):
                        self.ladder.set_width(variant.width)
                ready = beside.submit(prepare, missing[0], self.lm) if missing else None
                for task, following in zip_longest(missing, missing[1:]):
                    self.stop.check()
                    if ready is not None:
                        wait([ready])  # what goes wrong there goes wrong again in the cell, which says so
                    ready = beside.submit(prepare, following, self.lm) if following else None
                    failed += not self._cell(variant.level, task)
                    self._groups(variant.level)
                    self.recorder.merge_soon()
                self._groups(variant.level)
        return failed

    def _broken(self) -> int:
        """Write down the tasks that could not be built as cells that failed: the next attempt tries them again."""
        missing = [
            (variant.level, task) for variant in self.variants for task in self.tasks.broken
            if (variant.level, task) not in self._cells
        ]  # fmt: skip
        for level, task in missing:
            why = self.tasks.broken[task]
            self.recorder.record(FailureFacts(level=level, task=task, error=why, detail=why))
        for task in dict.fromkeys(task for _, task in missing):
            self.recorder.log(self.tasks.broken[task], "error")
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
