"""What comes after a task's answers: lm-eval's filters and metrics, and everything that is written down.

Judging is plain Python, a second or several for thousands of texts. Where the device works by itself, it is done while
the next answers are waited for, a few milliseconds at a time in the thread that asks: in a thread of its own it would
hold that one up at every operation, since one of them computes at a time.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

from engine.evaluation.answers import answers_of
from engine.evaluation.documents import write_documents
from engine.evaluation.samples import write_samples
from engine.evaluation.scoring import aggregate, judge
from engine.evaluation.tasks import BuiltTask
from engine.runs.rundir import RunDir
from engine.worker.recorder import Recorder
from engine.worker.supply import Supply
from warehouse.records.facts import CellFacts, DocumentsFacts, FailureFacts
from warehouse.records.questions import combined_hash

_HARNESS_VERSION = version("lm-eval")
_END = object()
_MOST_WAITING = 100  # cells whose answers are not judged yet: what a crash would have to ask again
_AT_ONCE = 0.002  # seconds


class Judging:
    """Judges cells in the order in which they are handed in: `beside` the asking of others, by `step`, or at once.

    Leaving the block finishes what is left. What cannot be written ends the work, as an OSError.
    """

    def __init__(self, run: RunDir, recorder: Recorder, tasks: Supply, attempt: int, *, beside: bool) -> None:
        self._run = run
        self._recorder = recorder
        self._tasks = tasks
        self._attempt = attempt
        self._beside = beside
        self._waiting: deque[Iterator[None]] = deque()
        self._undocumented: set[str] = set()
        self._problem: Exception | None = None
        self.failed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._finish(0)
        except Exception as other:
            if error is None:
                raise
            error.add_note(f"What had been answered could not be written down: {other}")

    def hand_in(self, level: str, built: BuiltTask, answers: Sequence[Any], seconds: float) -> None:
        """`seconds` is the time that asking took."""
        self._waiting.append(self._cell(level, built, answers, seconds))
        self._finish(_MOST_WAITING if self._beside else 0)

    def step(self) -> bool:
        """Go on for a few milliseconds; whether there was anything to do.

        Raises nothing, since what goes wrong here is not the fault of the cell that is asked meanwhile: the next cell
        that is handed in, or the end of the block, raises it.
        """
        end = time.monotonic() + _AT_ONCE
        try:
            while self._problem is None and self._waiting and time.monotonic() < end:
                self._advance()
        except Exception as error:
            self._problem = error
        return self._problem is None and bool(self._waiting)

    def keep(self, cell: CellFacts) -> None:
        """Write down a cell that needs no judging."""
        self._waiting.append(self._kept(cell))
        self._finish(_MOST_WAITING if self._beside else 0)

    def groups(self, level: str) -> None:
        """Write down the aggregates of groups all of whose tasks are there, once what was handed in is judged."""
        self._waiting.append(self._of_groups(level))
        self._finish(_MOST_WAITING if self._beside else 0)

    def _finish(self, most: int) -> None:
        if self._problem is not None:
            raise self._problem
        while len(self._waiting) > most:
            self._advance()

    def _advance(self) -> None:
        """One step of the cell that has waited longest."""
        if next(self._waiting[0], _END) is _END:
            self._waiting.popleft()

    def fail(self, level: str, task: str, error: Exception) -> None:
        """Write down that a cell has no result, and why."""
        self.failed += 1
        message = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        detail = "".join(traceback.format_exception(error))
        self._recorder.record(FailureFacts(level=level, task=task, error=message, detail=detail))
        self._recorder.log(f"{task} at level {level} failed: {message}", "error")
        error.__traceback__ = None  # it holds the failed batch's tensors

    def _cell(self, level: str, built: BuiltTask, answers: Sequence[Any], seconds: float) -> Iterator[None]:
        try:
            metrics, samples = yield from judge(built, answers)
            kept = answers_of(built.instances)
        except Exception as error:
            self.fail(level, built.name, error)
            return
        yield
        path, samples_hash = write_samples(
            self._run.samples_dir,
            level=level,
            task=built.name,
            attempt=self._attempt,
            samples=samples,
            answers=kept,
        )
        yield
        self._document(built)
        self._record(
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
        yield from self._of_groups(level)
        self._recorder.merge_soon()

    def _document(self, built: BuiltTask) -> None:
        """Keep a task's documents, unless the run has them: also one that began before there was such a file."""
        if built.name in self._recorder.history.documents or built.name in self._undocumented:
            return
        try:
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

    def _of_groups(self, level: str) -> Iterator[None]:
        """Write down the aggregate of every group whose tasks are all there now."""
        cells = self._recorder.history.cells
        for group in self._tasks.groups:
            if not group.has_aggregation or (level, group.name) in cells:
                continue
            start = time.monotonic()
            metrics = aggregate(group, {task: cell for (at, task), cell in cells.items() if at == level})
            yield
            if metrics is None:
                continue
            parts = {name: cells[level, name] for name in (task.task_name for task in group.get_all_tasks())}
            shots = {cell.num_fewshot for cell in parts.values()}
            versions = {cell.harness_version for cell in parts.values()}
            self._record(
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

    def _kept(self, cell: CellFacts) -> Iterator[None]:
        self._record(cell)
        self._recorder.merge_soon()
        yield

    def _record(self, cell: CellFacts) -> None:
        self._recorder.record(cell)
        self._recorder.history.cells[cell.level, cell.task] = cell
