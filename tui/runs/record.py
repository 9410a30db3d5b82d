"""One run as the screens show it, told from its journal event by event.

`RunRecord` is fed in one thread; what it hands out (`row`, `detail`) is frozen, so that another may read it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from engine.planning.plan import RunPlan
from engine.runs.device import device_of
from engine.runs.digests import Digest
from engine.runs.progress import progress
from engine.runs.rundir import RunDir
from tui.format import count
from tui.runs.usage import Meter, Usage
from tui.stages import stage_lines, stage_text
from warehouse.read.headlines import Headlines
from warehouse.read.run_grid import LiveGrid, run_grid, unpruned_level
from warehouse.records.events import (
    Attempt,
    CellProgress,
    CellStarted,
    Crashed,
    Event,
    Finished,
    GpuSamples,
    Log,
    Refused,
    Renamed,
    Stopped,
)
from warehouse.records.facts import CellFacts, FailureFacts, ModelFacts, VariantFacts
from warehouse.records.names import pruned_with
from warehouse.records.reading import Reading
from warehouse.records.run_state import CurrentCell, RunHistory, RunState
from warehouse.text import counted

LOG_LINES = 1000
READINGS = 3600  # an hour of one device


@dataclass(frozen=True, slots=True)
class LogLine:
    t: float
    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run in one line. `folder` is None for runs that only the database knows; `note` is why it ended so; `attempt`
    and `device` are as a `Digest` has them. `pieces` is 0 but for a whole sweep, whose id `run_id` is then.
    """

    run_id: str
    name: str
    model: str
    method: str
    levels: tuple[str, ...]
    tasks: tuple[str, ...]
    state: str
    done: int
    failed: int
    total: int | None
    current: CurrentCell | None
    seconds_left: float | None
    created_at: datetime
    suite: str | None = None
    folder: Path | None = None
    origin: str = "run"
    stage: str = ""
    note: str = ""
    pid: int | None = None
    host: str | None = None
    repair: str = "none"
    sweep: str | None = None
    sweep_name: str | None = None
    attempt: int = 0
    device: str = ""
    pieces: int = 0

    @property
    def pruned_with(self) -> str:
        return pruned_with(self.method, self.repair)

    @property
    def running(self) -> bool:
        return self.state == RunState.RUNNING

    @property
    def share(self) -> float:
        if not self.total:
            return 1.0 if self.state == RunState.FINISHED else 0.0
        part = self.current.done / self.current.total if self.current and self.current.total else 0.0
        return (self.done + self.failed + part) / self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """A run in full, for its own screen. `unpruned` is the level that the others are compared with; `now` is the
    journal's time; `stages` what is at work beside the cells, a line each; `attempt` counts how often it was taken up.
    """

    row: RunRow
    grid: LiveGrid
    facts: Mapping[str, VariantFacts]  # of the levels
    log: tuple[LogLine, ...]
    readings: tuple[Reading, ...]
    task_seconds_left: float | None
    stages: tuple[str, ...]
    elapsed: float
    now: float
    unpruned: str
    attempt: int = 1
    usage: Usage = field(default_factory=Usage)


class RunRecord:
    """Follows one run's events, in order: its history, and beside it what only a screen needs."""

    def __init__(self, plan: RunPlan, *, run_id: str, created_at: datetime, folder: Path | None = None) -> None:
        self.plan = plan
        self.run_id = run_id
        self.created_at = created_at
        self.folder = folder
        self.history = RunHistory(tuple(map(str, plan.levels)))
        self._log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self._readings: deque[Reading] = deque(maxlen=READINGS)
        self._used = Meter()

    def feed(self, event: Event) -> None:
        self.history.take(event)
        match event.data:
            case Attempt() as attempt:
                self._say(event, f"attempt {attempt.attempt}: process {attempt.pid} on {attempt.host}")
            case ModelFacts() as model:
                self._say(event, f"{model.model}: {model.model_type}, {count(model.parameters or 0)} parameters")
            case CellFacts(is_group=False) as cell:
                self._say(event, f"level {cell.level} {cell.task}: done in {cell.seconds or 0:.1f}s")
            case FailureFacts() as failure:
                self._say(event, f"level {failure.level} {failure.task} failed: {failure.error}", "error")
            case GpuSamples(samples=samples):
                self._readings.extend(samples)
                self._used.samples(samples)
            case CellStarted() as begun:
                self._used.begun(event.t, begun)
            case CellProgress() as reached:
                self._used.progressed(event.t, reached)
            case Log() as log:
                self._say(event, log.message, log.level_name)
            case Renamed(name=name):
                self._say(event, f"called {name} from now on")
            case Finished(failed=failed):
                self._say(event, f"finished, {counted(failed, 'evaluation')} failed" if failed else "finished")
            case Stopped(reason=reason):
                self._say(event, f"stopped ({reason})")
            case Refused(error=error) | Crashed(error=error):
                self._say(event, f"{event.kind}: {error}", "error")
            case _:
                pass

    def row(self, state: str | None = None, note: str | None = None) -> RunRow:
        """The run in a line; `state` and `note` are what else is known of it, such as that its process lives."""
        reached, attempt = progress(self.history), self.history.attempt
        running = state == RunState.RUNNING
        return RunRow(
            run_id=self.run_id,
            name=self.history.renamed or self.plan.name,
            model=self.history.model.model if self.history.model else self.plan.model,
            method=self.plan.method,
            repair=self.plan.repair,
            levels=self.history.levels,
            tasks=tuple(str(task) for task in self.plan.tasks),
            suite=self.plan.suite,
            state=state or self.history.state,
            done=reached.done,
            failed=reached.failed,
            total=reached.total,
            current=reached.current if running else None,
            seconds_left=reached.seconds_left if running else None,
            created_at=self.created_at,
            folder=self.folder,
            stage=stage_text(self.history) if running else "",
            note=self.history.note if note is None else note,
            pid=attempt.pid if attempt else None,
            host=attempt.host if attempt else None,
            sweep=self.plan.sweep,
            sweep_name=self.plan.sweep_name,
            attempt=attempt.attempt if attempt else 0,
            device=device_of(attempt),
        )

    def detail(
        self, headlines: Headlines, state: str | None = None, note: str | None = None, *, now: float | None = None
    ) -> RunDetail:
        row, history = self.row(state, note), self.history
        planned = [task.name for task in self.plan.tasks]
        return RunDetail(
            row=row,
            grid=run_grid(history, headlines=headlines, planned=planned, running=row.running),
            facts=dict(history.variants),
            log=tuple(self._log),
            readings=tuple(self._readings),
            task_seconds_left=self._task_seconds_left(row.current),
            stages=tuple(stage_lines(history, now)) if row.running else (),
            elapsed=history.elapsed(now if row.running else None),
            now=history.now,
            unpruned=unpruned_level(history),
            attempt=history.attempt.attempt if history.attempt else 1,
            usage=self._used.usage(),
        )

    def _task_seconds_left(self, current: CurrentCell | None) -> float | None:
        if current is None or not current.done or current.seconds <= 0:
            return None
        return current.seconds / current.done * (current.total - current.done)

    def _say(self, event: Event, text: str, level: str = "info") -> None:
        self._log.append(LogLine(event.t, text, level))


def row_of(digest: Digest, run: RunDir) -> RunRow:
    """The line of a run that no process is at work on."""
    return RunRow(
        run_id=run.run_id,
        name=digest.name,
        model=digest.model,
        method=digest.method,
        repair=digest.repair,
        levels=digest.levels,
        tasks=digest.tasks,
        suite=digest.suite,
        state=digest.state,
        done=digest.done,
        failed=digest.failed,
        total=digest.total,
        current=None,
        seconds_left=None,
        created_at=datetime.fromisoformat(digest.created_at),
        folder=run.path,
        note=digest.note,
        pid=digest.pid,
        host=digest.host,
        sweep=digest.sweep,
        sweep_name=digest.sweep_name,
        attempt=digest.attempt,
        device=digest.device,
    )


def damaged(run_id: str, folder: Path, error: str) -> RunRow:
    """A run whose plan or journal cannot be read."""
    return RunRow(
        run_id=run_id,
        name=run_id,
        model="",
        method="",
        levels=(),
        tasks=(),
        state="damaged",
        done=0,
        failed=0,
        total=None,
        current=None,
        seconds_left=None,
        created_at=datetime.fromtimestamp(folder.stat().st_mtime, UTC),
        folder=folder,
        note=error,
    )


def newest_first(rows: Iterable[RunRow]) -> tuple[RunRow, ...]:
    return tuple(sorted(rows, key=lambda row: (row.created_at, row.run_id), reverse=True))
