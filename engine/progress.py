"""How far a run has come, and how long the rest will take, told from its journal."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from engine.plan import RunPlan
from warehouse.journal import Event

Cell = tuple[str, str]  # level, task


@dataclass(frozen=True, slots=True)
class CurrentCell:
    """The cell being evaluated. `done` and `total` count requests; `seconds` is the time spent so far."""

    level: str
    task: str
    done: int
    total: int
    tokens: int
    seconds: float

    @property
    def requests_per_second(self) -> float | None:
        return self.done / self.seconds if self.done and self.seconds > 0 else None

    @property
    def tokens_per_second(self) -> float | None:
        return self.tokens / self.seconds if self.tokens and self.seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Progress:
    """A summary of a run so far. `total` is None until the run's tasks are built; `seconds_left` until a rate is known.

    Cells are (level, task) pairs; the aggregates of groups are not counted, their parts are.
    """

    done: int
    failed: int
    total: int | None
    current: CurrentCell | None
    seconds_left: float | None


class RunTracker:
    """Follows a run's events, in order, and keeps what a display needs."""

    def __init__(self, plan: RunPlan) -> None:
        self.levels = [str(level) for level in plan.levels]
        self.tasks: dict[str, int] = {}  # requests of each task, in the order they were built
        self.group_of: dict[str, str] = {}  # the group whose aggregate a task belongs to, for those that have one
        self.cells: dict[Cell, Literal["done", "failed"]] = {}
        self.errors: dict[Cell, str] = {}  # of the failed cells
        self.model: str | None = None
        self.current: CurrentCell | None = None
        self._started = 0.0
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)

    def feed(self, event: Event) -> None:
        data = event.data
        match event.kind:
            case "attempt":
                self.current = None
                for cell in self.errors:  # to be tried again
                    del self.cells[cell]
                self.errors.clear()
            case "stopped" | "finished" | "refused" | "crashed":
                self.current = None
            case "model":
                self.model = data["model"]
            case "task":
                self.tasks[data["task"]] = data["n_requests"]
                if data["part_of"] is not None:
                    self.group_of[data["task"]] = data["part_of"]
            case "cell_started":
                self._started = event.t
                self.current = CurrentCell(data["level"], data["task"], 0, self.tasks.get(data["task"], 0), 0, 0.0)
            case "progress":
                self.current = CurrentCell(
                    data["level"], data["task"], data["done"], data["total"], data["tokens"], event.t - self._started
                )
            case "cell":
                if not data["is_group"]:
                    self._seconds[data["task"]].append(data["seconds"])
                    self._settle(data, "done")
            case "cell_failed":
                self._settle(data, "failed")
                self.errors[data["level"], data["task"]] = data["error"]

    def _settle(self, data: dict, how: Literal["done", "failed"]) -> None:
        cell = (data["level"], data["task"])
        self.cells[cell] = how
        if self.current is not None and (self.current.level, self.current.task) == cell:
            self.current = None

    def progress(self) -> Progress:
        settled = list(self.cells.values())
        return Progress(
            done=settled.count("done"),
            failed=settled.count("failed"),
            total=len(self.levels) * len(self.tasks) if self.tasks else None,
            current=self.current,
            seconds_left=self._seconds_left(),
        )

    def _seconds_left(self) -> float | None:
        """A task takes as long as it did at other levels; one not seen yet goes at the run's rate of requests."""
        seconds = sum(sum(times) for times in self._seconds.values())
        requests = sum(self.tasks.get(task, 0) * len(times) for task, times in self._seconds.items())
        if self.current is not None:
            seconds += self.current.seconds
            requests += self.current.done
        if not requests or seconds <= 0:
            return None
        left = 0.0
        for level in self.levels:
            for task, size in self.tasks.items():
                if (level, task) in self.cells:
                    continue
                times = self._seconds.get(task)
                expected = sum(times) / len(times) if times else size * seconds / requests
                if self.current is not None and (self.current.level, self.current.task) == (level, task):
                    expected *= 1 - self.current.done / self.current.total if self.current.total else 1
                left += expected
        return left
