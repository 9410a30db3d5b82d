"""What comes after a task's answers: lm-eval's filters and metrics, and everything that is written down.

One thread does this for all cells, in their order, while the device is asked for the next: judging is plain Python, a
second or several for thousands of texts. Nobody else touches what a task keeps of its answers.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

from engine.evaluation.answers import answers_of
from engine.evaluation.documents import write_documents
from engine.evaluation.samples import write_samples
from engine.evaluation.scoring import aggregate, judge
from engine.evaluation.tasks import BuiltTask
from engine.runs.rundir import RunDir
from engine.worker.draws import own_draws
from engine.worker.recorder import Recorder
from engine.worker.supply import Supply
from warehouse.records.conditions import Seeds
from warehouse.records.facts import CellFacts, DocumentsFacts, FailureFacts
from warehouse.records.questions import combined_hash

_HARNESS_VERSION = version("lm-eval")
# Cells whose answers may wait: what a crash would have to ask again.
_MOST_WAITING = 16


class Judging:
    """Judges cells in a thread of its own; leaving the block waits for those that were handed in.

    What cannot be written ends the work: `check`, and the end of the block, raise it.
    """

    def __init__(self, run: RunDir, recorder: Recorder, tasks: Supply, seeds: Seeds, attempt: int) -> None:
        self._run = run
        self._recorder = recorder
        self._tasks = tasks
        self._seeds = seeds
        self._attempt = attempt
        self._thread = ThreadPoolExecutor(1, "judging")
        self._waiting: list[Future[bool]] = []
        self._undocumented: set[str] = set()
        self.failed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown(wait=True)
        if error is None:
            self.check()
        else:
            for future in self._waiting:
                if (other := future.exception()) is not None:
                    error.add_note(f"What had been answered could not be written down: {other}")

    def hand_in(self, level: str, built: BuiltTask, answers: Sequence[Any], seconds: float) -> None:
        """`seconds` is the time that asking took."""
        if len(self._waiting) >= _MOST_WAITING:
            wait(self._waiting[:1])
        self._waiting.append(self._thread.submit(self._cell, level, built, answers, seconds))

    def keep(self, cell: CellFacts) -> None:
        """Write down a cell that needs no judging."""
        self._waiting.append(self._thread.submit(self._kept, cell))

    def groups(self, level: str) -> None:
        """Write down the aggregates of groups all of whose tasks are there, once what was handed in is judged."""
        self._waiting.append(self._thread.submit(self._groups, level))

    def check(self) -> None:
        """Raises:
        OSError: something could not be written down.
        """
        done = [future for future in self._waiting if future.done()]
        self._waiting = [future for future in self._waiting if not future.done()]
        self.failed += sum(not future.result() for future in done)

    def fail(self, level: str, task: str, error: Exception) -> None:
        """Write down that a cell has no result, and why."""
        message = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        detail = "".join(traceback.format_exception(error))
        self._recorder.record(FailureFacts(level=level, task=task, error=message, detail=detail))
        self._recorder.log(f"{task} at level {level} failed: {message}", "error")
        error.__traceback__ = None  # it holds the failed batch's tensors

    def _cell(self, level: str, built: BuiltTask, answers: Sequence[Any], seconds: float) -> bool:
        try:
            with own_draws(*self._seeds[:2]):
                metrics, samples = judge(built, answers)
                kept = answers_of(built.instances)
        except Exception as error:
            self.fail(level, built.name, error)
            return False
        path, samples_hash = write_samples(
            self._run.samples_dir,
            level=level,
            task=built.name,
            attempt=self._attempt,
            samples=samples,
            answers=kept,
        )
        self._document(built)
        self._finish(
            CellFacts(
                level=level,
                task=built.name,
                part_of=built.facts.part_of,
                is_group=False,
                version=built.facts.version,
                num_fewshot=built.facts.num_fewshot,
                seconds=round(seconds, 3),
                metrics=metrics,
                samples=str(path.relative_to(self._run.path)),
                questions_hash=built.facts.questions_hash,
                tokens_hash=built.facts.tokens_hash,
                harness_version=_HARNESS_VERSION,
                samples_hash=samples_hash,
            )
        )
        self._groups(level)
        self._recorder.merge_soon()
        return True

    def _document(self, built: BuiltTask) -> None:
        """Keep a task's documents, unless the run has them: also one that began before there was such a file."""
        if built.name in self._recorder.history.documents or built.name in self._undocumented:
            return
        try:
            with own_draws(*self._seeds[:2]):
                path, hash_, count = write_documents(self._run.documents_dir, built, attempt=self._attempt)
        except OSError:
            raise
        except Exception as error:  # of a task's own code, asked for the question and its answer: scores stand without
            self._undocumented.add(built.name)
            why = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            self._recorder.log(f"The documents of {built.name} are not kept for reading: {why}", "warning")
            return
        where = str(path.relative_to(self._run.path))
        documents = DocumentsFacts(task=built.name, path=where, hash=hash_, count=count)
        self._recorder.record(documents)
        self._recorder.history.documents[built.name] = documents

    def _groups(self, level: str) -> bool:
        """Write down the aggregate of every group whose tasks are all there now."""
        cells = self._recorder.history.cells
        for group in self._tasks.groups:
            if not group.has_aggregation or (level, group.name) in cells:
                continue
            start = time.monotonic()
            metrics = aggregate(group, {task: cell for (at, task), cell in cells.items() if at == level})
            if metrics is None:
                continue
            parts = {name: cells[level, name] for name in (task.task_name for task in group.get_all_tasks())}
            shots = {cell.num_fewshot for cell in parts.values()}
            versions = {cell.harness_version for cell in parts.values()}
            self._finish(
                CellFacts(
                    level=level,
                    task=group.name,
                    part_of=self._tasks.parent(group.name),
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
        return True

    def _kept(self, cell: CellFacts) -> bool:
        self._finish(cell)
        self._recorder.merge_soon()
        return True

    def _finish(self, cell: CellFacts) -> None:
        self._recorder.record(cell)
        self._recorder.history.cells[cell.level, cell.task] = cell
