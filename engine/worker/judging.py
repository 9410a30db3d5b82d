"""What comes after a task's answers: lm-eval's filters and metrics, and everything that is written down."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from engine.evaluation.answers import answers_of
from engine.evaluation.documents import write_documents
from engine.evaluation.samples import write_samples
from engine.evaluation.scoring import aggregate, judge
from engine.evaluation.tasks import BuiltTask
from engine.runs.rundir import RunDir
from engine.worker.records import Records
from engine.worker.supply import Supply
from warehouse.records.facts import CellFacts, DocumentsFacts
from warehouse.records.questions import combined_hash

_HARNESS_VERSION = version("lm-eval")


class Judging:
    """Judges cells in the order in which they are handed in. What cannot be written ends the work, as an OSError."""

    def __init__(self, run: RunDir, recorder: Records, tasks: Supply[BuiltTask], attempt: int) -> None:
        self._run = run
        self._recorder = recorder
        self._tasks = tasks
        self._attempt = attempt
        self._undocumented: set[str] = set()
        self.failed = 0

    def hand_in(self, level: str, built: BuiltTask, answers: Sequence[Any], seconds: float) -> None:
        """`seconds` is the time that asking took."""
        try:
            metrics, samples = judge(built, answers)
            kept = answers_of(built.instances)
        except Exception as error:
            self.fail(level, built.name, error)
            return
        path, samples_hash = write_samples(
            self._run.samples_dir,
            level=level,
            task=built.name,
            attempt=self._attempt,
            samples=samples,
            answers=kept,
        )
        self._document(built)
        self._recorder.keep_cell(
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
        self.groups(level)
        self._recorder.merge_soon()

    def keep(self, cell: CellFacts) -> None:
        """Write down a cell that needs no judging."""
        self._recorder.keep_cell(cell)
        self._recorder.merge_soon()

    def fail(self, level: str, task: str, error: Exception) -> None:
        """Write down that a cell has no result, and why."""
        self.failed += 1
        self._recorder.failure(level, task, error)

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
        self._recorder.keep_documents(documents)

    def groups(self, level: str) -> None:
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
            self._recorder.keep_cell(
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
