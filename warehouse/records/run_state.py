"""The one fold from a run's events to how it stands: the worker, the command line and the screens all read it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from warehouse.records.events import (
    Attempt,
    CellProgress,
    CellStarted,
    Crashed,
    Ending,
    Event,
    Finished,
    GpuSamples,
    Measured,
    Planned,
    Refused,
    Renamed,
    Stage,
    StageProgress,
    Stopped,
    TasksFound,
)
from warehouse.records.facts import (
    CalibrationFacts,
    CellFacts,
    DocumentsFacts,
    FailureFacts,
    FoundTask,
    ModelFacts,
    TaskFacts,
    VariantFacts,
)
from warehouse.records.measurements import MeasurementFacts

Cell = tuple[str, str]  # level, task
Outcome = Literal["done", "failed"]
_FIRST_STAGE = "import libraries"
CALIBRATE, SORT_NEURONS = "calibrate", "sort neurons"
"""Stages of a start: text is had, and neurons are ordered, by what they do on it or by their weights."""


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    FINISHED = "finished"
    FINISHED_WITH_FAILURES = "finished with failures"
    REFUSED = "refused"
    CRASHED = "crashed"


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
class CurrentStage:
    """Something at work that is not a cell: `done` of `total` units, None where that is not known.

    `began` is when, as Unix time; `seconds` the time that it took to come so far.
    """

    stage: str
    level: str | None
    done: int
    total: int | None
    unit: str
    began: float
    seconds: float

    @property
    def per_second(self) -> float | None:
        return self.done / self.seconds if self.done and self.seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        rate = self.per_second
        return None if rate is None or self.total is None else max(self.total - self.done, 0) / rate


@dataclass(slots=True)
class RunHistory:
    """What a run's events say so far, taken in one after another.

    `levels` are those that the plan asks for, `renamed` is the name that counts in place of the plan's. `seq` is the
    number of the last event and `now` its time. `turns` counts the attempts and their ends, of which a worker that was
    started writes at least one. `documents` has the files of tasks' documents, `cells` what finished, groups included,
    `failures` those of the latest attempt, `measured` each level's rows of a profile.
    `parents` has the nearest group above a task or group. `startup_seconds` is
    how long the last start took until its first cell began, None where that was not recorded or it has not come to one,
    `start_stages` has the seconds of its stages that ended. `worked` is the time of the attempts that have ended.
    `starting` names the stage of a start that ended last: empty before the first of them, None once a cell was begun or
    the attempt has ended. `at_work` are the stages that have begun and not ended, by name and level; runs from before
    they were recorded have none. `found` are the tasks that will be evaluated, known before their requests are
    written.
    """

    levels: tuple[str, ...] = ()
    seq: int = -1
    turns: int = 0
    attempt: Attempt | None = None
    end: Ending | None = None
    plan: Planned | None = None
    renamed: str | None = None
    model: ModelFacts | None = None
    calibration: CalibrationFacts | None = None
    variants: dict[str, VariantFacts] = field(default_factory=dict[str, VariantFacts])
    found: dict[str, FoundTask] = field(default_factory=dict[str, FoundTask])
    tasks: dict[str, TaskFacts] = field(default_factory=dict[str, TaskFacts])
    parents: dict[str, str] = field(default_factory=dict[str, str])
    documents: dict[str, DocumentsFacts] = field(default_factory=dict[str, DocumentsFacts])
    cells: dict[Cell, CellFacts] = field(default_factory=dict[Cell, CellFacts])
    failures: dict[Cell, FailureFacts] = field(default_factory=dict[Cell, FailureFacts])
    measured: dict[str, list[MeasurementFacts]] = field(default_factory=dict[str, list[MeasurementFacts]])
    current: CurrentCell | None = None
    starting: str | None = None
    startup_seconds: float | None = None
    start_stages: dict[str, float] = field(default_factory=dict[str, float])
    at_work: dict[tuple[str, str | None], CurrentStage] = field(
        default_factory=dict[tuple[str, str | None], CurrentStage]
    )
    now: float = 0.0
    began: float | None = None
    worked: float = 0.0
    _power: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])
    _cell_began: float = 0.0
    _start_began: float | None = None

    def take(self, event: Event) -> None:
        """Take in the next event."""
        self.seq, self.now = event.seq, event.t
        match event.data:
            case Planned() as plan:
                self.plan = plan
            case Renamed(name=name):
                self.renamed = name
            case Attempt() as attempt:
                self._begin(event.t, attempt)
            case Stopped() | Finished() | Refused() | Crashed() as end:
                self._end(event.t, end)
            case ModelFacts() as model:
                self.model = model
            case VariantFacts() as variant:
                self.variants[variant.level] = variant
            case CalibrationFacts() as calibration:
                self.calibration = calibration
            case TasksFound(tasks=found):
                self.found = {task.task: task for task in found}
                for task in found:
                    self._place(task.task, task.part_of)
            case TaskFacts() as task:
                self.tasks[task.task] = task
                self._place(task.task, task.part_of)
            case StageProgress() as stage:
                self._advance(event.t, stage)
            case Stage() as stage:
                self.at_work.pop((stage.stage, stage.level), None)
                if stage.stage == _FIRST_STAGE:
                    self.startup_seconds, self._start_began = None, event.t - stage.seconds
                    self.start_stages = {}
                if stage.level is None:
                    self.starting = stage.stage
                    self.start_stages[stage.stage] = stage.seconds
            case CellStarted() as cell:
                if self._start_began is not None:
                    self.startup_seconds, self._start_began = event.t - self._start_began, None
                self._cell_began, self.starting = event.t, None
                self.current = CurrentCell(cell.level, cell.task, 0, self.requests(cell.task), 0, 0.0)
            case CellProgress() as cell:
                seconds = event.t - self._cell_began
                self.current = CurrentCell(cell.level, cell.task, cell.done, cell.total, cell.tokens, seconds)
            case DocumentsFacts() as documents:
                self.documents[documents.task] = documents
            case CellFacts() as cell:
                self.cells[cell.level, cell.task] = cell
                self.failures.pop((cell.level, cell.task), None)
                self._place(cell.task, cell.part_of)
                self._leave(cell.level, cell.task)
            case FailureFacts() as failure:
                self.failures[failure.level, failure.task] = failure
                self._leave(failure.level, failure.task)
            case Measured(level=level, measurements=rows):
                self.measured.setdefault(level, []).extend(rows)
            case GpuSamples(samples=samples):
                for one in samples:
                    if one.power is not None:
                        watts, count = self._power.get(one.device, (0.0, 0))
                        self._power[one.device] = watts + one.power, count + 1
            case _:
                pass

    @property
    def state(self) -> RunState:
        """As the events tell it, which do not know whether a process is at work."""
        match self.end:
            case Finished(failed=failed):
                return RunState.FINISHED_WITH_FAILURES if failed else RunState.FINISHED
            case Stopped():
                return RunState.STOPPED
            case Refused():
                return RunState.REFUSED
            case Crashed():
                return RunState.CRASHED
            case None:
                return RunState.QUEUED if self.attempt is None else RunState.INTERRUPTED

    @property
    def note(self) -> str:
        """Why the run ended, where it did not end well."""
        return self.end.error if isinstance(self.end, Refused | Crashed) else ""

    @property
    def settled(self) -> dict[Cell, Outcome]:
        """How the cells ended that did, without the aggregates of groups."""
        found: dict[Cell, Outcome] = {at: "done" for at, cell in self.cells.items() if not cell.is_group}
        for at in self.failures:
            found[at] = "failed"
        return found

    @property
    def all_tasks(self) -> list[str]:
        """Those that will be or were built, and those that could not be, which only have failures."""
        return list(dict.fromkeys([*self.found, *self.tasks, *(task for _, task in self.failures)]))

    def requests(self, task: str) -> int:
        """How many requests a task has at each level; 0 where that is not known."""
        return (self.tasks[task].n_requests or 0) if task in self.tasks else 0

    @property
    def watts(self) -> float | None:
        """What its devices drew on average, all together, as it was sampled; None where none of them tells."""
        return sum(watts / count for watts, count in self._power.values()) if self._power else None

    def seconds_per_cell(self) -> dict[str, float]:
        """Mean time of the finished cells of each task."""
        spent: defaultdict[str, list[float]] = defaultdict(list)
        for cell in self.cells.values():
            if not cell.is_group and cell.seconds is not None:
                spent[cell.task].append(cell.seconds)
        return {task: sum(times) / len(times) for task, times in spent.items()}

    def elapsed(self, now: float | None = None) -> float:
        """Seconds in which attempts worked; `now` is the time of day where one still does."""
        return self.worked + (0.0 if self.began is None else max((now or self.now) - self.began, 0.0))

    def _begin(self, t: float, attempt: Attempt) -> None:
        self.turns += 1
        self.attempt, self.end = attempt, None
        self.current, self.starting = None, ""
        self.failures.clear()  # they are tried again
        self.began = t

    def _end(self, t: float, end: Ending) -> None:
        self.turns += 1
        self.end = end
        self.current = self.starting = None
        self.at_work.clear()
        self.worked, self.began = self.elapsed(t), None

    def _advance(self, t: float, stage: StageProgress) -> None:
        if stage.stage == _FIRST_STAGE:
            self.at_work.clear()  # of a worker that was killed
        key = stage.stage, stage.level
        began = self.at_work[key].began if key in self.at_work else t
        self.at_work[key] = CurrentStage(
            stage.stage, stage.level, stage.done, stage.total, stage.unit, began, max(t - began, 0.0)
        )

    def _place(self, name: str, part_of: str | None) -> None:
        if part_of is not None:
            self.parents[name] = part_of

    def _leave(self, level: str, task: str) -> None:
        if self.current is not None and (self.current.level, self.current.task) == (level, task):
            self.current = None
