"""One run as the screens show it, told from its journal event by event.

`RunRecord` is fed in one thread; what it hands out (`row`, `detail`) is frozen, so that another may read it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from engine.gpu import Reading
from engine.plan import RunPlan
from engine.progress import CurrentCell, RunTracker
from engine.rundir import TURNS, RunState
from warehouse.headlines import Headlines
from warehouse.journal import Event

CellState = Literal["done", "failed", "running", "partial", "pending"]

LOG_LINES = 1000
READINGS = 3600  # an hour of one device

# How the run stands by the last of these events, unless a process holds it.
_ENDINGS = {"stopped": RunState.STOPPED, "refused": RunState.REFUSED, "crashed": RunState.CRASHED}


@dataclass(frozen=True, slots=True)
class Score:
    """The headline metric of one cell."""

    metric: str
    filter: str
    value: float
    stderr: float | None
    higher_is_better: bool | None


@dataclass(frozen=True, slots=True)
class GridCell:
    """One task, or group of tasks, at one level. `done` of `total` counts the tasks of a group."""

    state: CellState
    score: Score | None = None
    baseline: float | None = None
    delta: float | None = None
    delta_pct: float | None = None
    share: float | None = None  # of the running cell's requests
    done: int = 0
    total: int = 1
    failed: int = 0
    seconds: float | None = None
    error: str | None = None

    @property
    def improved(self) -> bool | None:
        if self.delta is None or self.score is None or self.score.higher_is_better is None:
            return None
        return self.delta != 0 and (self.delta > 0) == self.score.higher_is_better


@dataclass(frozen=True, slots=True)
class GridRow:
    """A line of the grid: a task, or a group, under which its `parts` can be opened."""

    name: str
    parts: tuple[str, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class LogLine:
    t: float
    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run in one line. `folder` is None for runs that only the database knows; `note` is why it ended so."""

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
    """A run in full, for its own screen. `cells` has every (level, name) of `rows`; `now` is the journal's time."""

    row: RunRow
    rows: tuple[GridRow, ...]
    cells: Mapping[tuple[str, str], GridCell]
    facts: Mapping[str, Mapping[str, Any]]  # of the levels: VariantFacts
    log: tuple[LogLine, ...]
    readings: tuple[Reading, ...]
    task_seconds_left: float | None
    elapsed: float
    now: float
    baseline: str


class RunRecord:
    """Follows one run's events, in order."""

    def __init__(self, plan: RunPlan, *, run_id: str, created_at: datetime, folder: Path | None = None) -> None:
        self.plan = plan
        self.run_id = run_id
        self.created_at = created_at
        self.folder = folder
        self.tracker = RunTracker(plan)
        self.state = RunState.QUEUED
        self.note = ""
        self.stage = ""
        self.turns = 0  # how many attempts, and ends of attempts, there were
        self.pid: int | None = None
        self.host: str | None = None
        self.now = 0.0
        self._attempt_began: float | None = None
        self._worked = 0.0
        self._starting: dict[str, float] = {}  # seconds of the last start's stages
        self._metrics: dict[tuple[str, str], dict[str, Any]] = {}
        self._parents: dict[str, str] = {}
        self._variants: dict[str, dict[str, Any]] = {}
        self._log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self._readings: deque[Reading] = deque(maxlen=READINGS)

    def feed(self, event: Event) -> None:
        self.tracker.feed(event)
        self.now = event.t
        self.turns += event.kind in TURNS
        data = event.data
        match event.kind:
            case "attempt":
                self.state, self.note = RunState.INTERRUPTED, ""
                self.pid, self.host = data["pid"], data["host"]
                self._attempt_began = event.t
                self.stage = "reading the tasks"
                self._say(event, f"attempt {data['attempt']}: process {data['pid']} on {data['host']}")
            case "stage":
                self.stage = _NEXT_STAGE.get(data["stage"], self.stage)
                if data["stage"] == _FIRST_STAGE:
                    self._starting.clear()
                if data["level"] is None:
                    self._starting[data["stage"]] = data["seconds"]
            case "model":
                self._say(event, f"{data['model']}: {data['model_type']}, {data['parameters']:,} parameters")
            case "variant":
                self._variants[data["level"]] = data
            case "task":
                if data["part_of"] is not None:
                    self._parents[data["task"]] = data["part_of"]
            case "cell_started":
                self.stage = ""
            case "cell":
                if data["part_of"] is not None:
                    self._parents[data["task"]] = data["part_of"]
                self._metrics[data["level"], data["task"]] = data
                if not data["is_group"]:
                    self._say(event, f"level {data['level']} {data['task']}: done in {data['seconds']:.1f}s")
            case "cell_failed":
                self._say(event, f"level {data['level']} {data['task']} failed: {data['error']}", "error")
            case "gpu":
                self._readings.extend(Reading.from_dict(sample) for sample in data["samples"])
            case "log":
                self._say(event, data["message"], data["level_name"])
            case "finished":
                failed = data["failed"]
                self.state = RunState.FINISHED_WITH_FAILURES if failed else RunState.FINISHED
                self._end(event, f"finished, {failed} cells failed" if failed else "finished")
            case "stopped":
                self.state = RunState.STOPPED
                self._end(event, f"stopped ({data['reason']})")
            case "refused" | "crashed":
                self.state, self.note = _ENDINGS[event.kind], data["error"]
                self._end(event, f"{event.kind}: {data['error']}", "error")

    def seconds_per_cell(self) -> dict[str, float]:
        """Mean time of the finished cells of each task."""
        spent: dict[str, list[float]] = {}
        for (_, task), cell in self._metrics.items():
            if not cell["is_group"]:
                spent.setdefault(task, []).append(cell["seconds"])
        return {task: sum(times) / len(times) for task, times in spent.items()}

    def startup_seconds(self) -> float | None:
        """How long it took before the first cell began; None where that was not recorded, or it never came to one."""
        return sum(self._starting.values()) if _LAST_STAGE in self._starting else None

    def row(self, state: str | None = None, note: str | None = None) -> RunRow:
        """The run in a line; `state` and `note` are what else is known of it, such as that its process lives."""
        progress = self.tracker.progress()
        running = state == RunState.RUNNING
        return RunRow(
            run_id=self.run_id,
            name=self.plan.name,
            model=self.tracker.model or self.plan.model,
            method=self.plan.method,
            levels=tuple(self.tracker.levels),
            tasks=tuple(str(task) for task in self.plan.tasks),
            suite=self.plan.suite,
            state=state or self.state,
            done=progress.done,
            failed=progress.failed,
            total=progress.total,
            current=progress.current if running else None,
            seconds_left=progress.seconds_left if running else None,
            created_at=self.created_at,
            folder=self.folder,
            stage=self.stage if running else "",
            note=self.note if note is None else note,
            pid=self.pid,
            host=self.host,
        )

    def detail(
        self, headlines: Headlines, state: str | None = None, note: str | None = None, *, now: float | None = None
    ) -> RunDetail:
        row = self.row(state, note)
        tree = self._tree()
        cells = {
            (level, line.name): self._cell(level, line, headlines, row.current) for level in row.levels for line in tree
        }
        for (level, name), cell in list(cells.items()):
            base = cells.get((self._baseline(), name))
            if base is not None and level != self._baseline():
                cells[level, name] = _against(cell, base)
        return RunDetail(
            row=row,
            rows=tree,
            cells=cells,
            facts=dict(self._variants),
            log=tuple(self._log),
            readings=tuple(self._readings),
            task_seconds_left=self._task_seconds_left(row.current),
            elapsed=self._elapsed(now if row.running else None),
            now=self.now,
            baseline=self._baseline(),
        )

    def _elapsed(self, now: float | None) -> float:
        if self._attempt_began is None:
            return self._worked
        return self._worked + max((now or self.now) - self._attempt_began, 0)

    def _baseline(self) -> str:
        for level, facts in self._variants.items():
            if facts["pruning_pct"] == 0:
                return level
        return "0"

    def _tree(self) -> tuple[GridRow, ...]:
        """Tasks and groups in the order of the tasks, each group before its parts."""
        tasks = list(self.tracker.tasks) or [spec.name for spec in self.plan.tasks]
        children: dict[str | None, list[str]] = {}
        for task in tasks:
            chain = [task]
            while (parent := self._parents.get(chain[-1])) is not None and parent not in chain:
                chain.append(parent)
            for name, above in zip(chain, [*chain[1:], None], strict=True):
                siblings = children.setdefault(above, [])
                if name not in siblings:
                    siblings.append(name)
        lines: list[GridRow] = []

        def visit(name: str, depth: int) -> None:
            parts = tuple(children.get(name, ()))
            lines.append(GridRow(name, parts, depth))
            for part in parts:
                visit(part, depth + 1)

        for name in children.get(None, ()):
            visit(name, 0)
        return tuple(lines)

    def _leaves(self, name: str) -> list[str]:
        return [task for task in self.tracker.tasks if name in self._above(task)]

    def _above(self, task: str) -> list[str]:
        chain = []
        parent = self._parents.get(task)
        while parent is not None and parent not in chain:
            chain.append(parent)
            parent = self._parents.get(parent)
        return chain

    def _cell(self, level: str, line: GridRow, headlines: Headlines, current: CurrentCell | None) -> GridCell:
        found = self._metrics.get((level, line.name))
        score = _score(line.name, found, headlines) if found else None
        seconds = found["seconds"] if found else None
        if not line.parts:
            how = self.tracker.cells.get((level, line.name))
            if how == "failed":
                return GridCell("failed", failed=1, error=self.tracker.errors.get((level, line.name)))
            if how == "done" or (found and not self.tracker.tasks):
                return GridCell("done", score=score, seconds=seconds, done=1)
            if current is not None and (current.level, current.task) == (level, line.name):
                return GridCell("running", share=current.done / current.total if current.total else 0.0)
            return GridCell("pending")
        leaves = self._leaves(line.name)
        states = Counter(self.tracker.cells.get((level, task)) for task in leaves)
        errors = [self.tracker.errors[level, task] for task in leaves if (level, task) in self.tracker.errors]
        counts: dict[str, Any] = {"done": states["done"], "failed": states["failed"], "total": len(leaves)}
        if found:
            spent = sum(self._metrics[level, task]["seconds"] for task in leaves if (level, task) in self._metrics)
            return GridCell("done", score=score, seconds=spent, **counts)
        if errors:
            return GridCell("failed", error=errors[0], **counts)
        if current is not None and current.level == level and current.task in leaves:
            part = current.done / current.total if current.total else 0.0
            return GridCell("running", share=(states["done"] + part) / len(leaves), **counts)
        return GridCell("partial" if states["done"] else "pending", **counts)

    def _task_seconds_left(self, current: CurrentCell | None) -> float | None:
        if current is None or not current.done or current.seconds <= 0:
            return None
        return current.seconds / current.done * (current.total - current.done)

    def _say(self, event: Event, text: str, level: str = "info") -> None:
        self._log.append(LogLine(event.t, text, level))

    def _end(self, event: Event, text: str, level: str = "info") -> None:
        if self._attempt_began is not None:
            self._worked += max(event.t - self._attempt_began, 0)
            self._attempt_began = None
        self.stage = ""
        self._say(event, text, level)


_FIRST_STAGE, _LAST_STAGE = "import libraries", "sort neurons"
_NEXT_STAGE = {
    "import libraries": "reading the config",
    "read config": "reading the tasks",
    "load tasks": "loading the model",
    "load model": "hashing the weights",
    "hash weights": "writing the prompts",
    "build requests": "sorting neurons",
    "sort neurons": "starting",
}


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


def _score(task: str, cell: Mapping[str, Any], headlines: Headlines) -> Score | None:
    metric = headlines.choose(task, cell["metrics"])
    if metric is None:
        return None
    return Score(metric["metric"], metric["filter"], metric["value"], metric["stderr"], metric["higher_is_better"])


def _against(cell: GridCell, base: GridCell) -> GridCell:
    if cell.score is None or base.score is None:
        return cell
    delta = cell.score.value - base.score.value
    pct = 100 * delta / abs(base.score.value) if base.score.value else None
    return GridCell(
        **{name: getattr(cell, name) for name in GridCell.__dataclass_fields__}
        | {"baseline": base.score.value, "delta": delta, "delta_pct": pct}
    )
