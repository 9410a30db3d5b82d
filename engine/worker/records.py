"""What work that is done for a run may write down, whichever process it is done in."""

from __future__ import annotations

import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from warehouse.records.events import Data, Stage, StageProgress
from warehouse.records.facts import CellFacts, DocumentsFacts, FailureFacts
from warehouse.records.run_state import RunHistory

PROGRESS_EVERY = 1.0  # seconds
Report = Callable[[int, int | None], None]
"""How far a stage has come, told as units that are done and how many there are."""


class Records(ABC):
    """Where the work of a run is written down, and how far it is.

    Stages that are at work side by side write to it from threads of their own.

    Attributes:
        history: what earlier attempts left behind; cells and documents of this one are added to it.
    """

    def __init__(self, history: RunHistory) -> None:
        self.history = history

    @abstractmethod
    def record(self, data: Data) -> None:
        """Raises:
        OSError: it cannot be written down.
        """

    @abstractmethod
    def log(self, message: str, level_name: str = "info") -> None: ...

    @abstractmethod
    def merge_soon(self) -> None:
        """Have the warehouse brought up to date beside the work."""

    def keep_cell(self, cell: CellFacts) -> None:
        """Write a cell down, and know it from now on."""
        self.record(cell)
        self.history.cells[cell.level, cell.task] = cell

    def keep_documents(self, documents: DocumentsFacts) -> None:
        """Write down where a task's documents are, and know it from now on."""
        self.record(documents)
        self.history.documents[documents.task] = documents

    def failure(self, level: str, task: str, error: Exception) -> None:
        """Write down that a cell has no result, and why."""
        message = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        detail = "".join(traceback.format_exception(error))
        self.record(FailureFacts(level=level, task=task, error=message, detail=detail))
        self.log(f"{task} at level {level} failed: {message}", "error")
        error.__traceback__ = None  # it holds the failed batch's tensors

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
            if now - last >= PROGRESS_EVERY:
                last = now
                self.record(StageProgress(stage=name, level=level, done=done, total=total, unit=unit))

        self.record(StageProgress(stage=name, level=level, done=0, total=total, unit=unit))
        yield report
        self.record(Stage(stage=name, level=level, seconds=round(time.monotonic() - start, 6)))
