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

from engine.planning.plan import RunPlan
from engine.runs.digests import Digest
from engine.runs.progress import progress
from engine.runs.rundir import RunDir
from tui.stages import stage_text
from warehouse.read.headlines import Headlines
from warehouse.records.events import (
    Attempt,
    Crashed,
    Event,
    Finished,
    GpuSamples,
    Log,
    Refused,
    Stopped,
)
from warehouse.records.facts import CellFacts, FailureFacts, ModelFacts, VariantFacts
from warehouse.records.reading import Reading
from warehouse.records.run_state import CurrentCell, RunHistory, RunState

CellState = Literal["done", "failed", "running", "partial", "pending"]

LOG_LINES = 1000
READINGS = 3600  # an hour of one device


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
    facts: Mapping[str, VariantFacts]  # of the levels
    log: tuple[LogLine, ...]
    readings: tuple[Reading, ...]
    task_seconds_left: float | None
    elapsed: float
    now: float
    baseline: str


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

    def feed(self, event: Event) -> None:
        self.history.take(event)
        match event.data:
            case Attempt() as attempt:
                self._say(event, f"attempt {attempt.attempt}: process {attempt.pid} on {attempt.host}")
            case ModelFacts() as model:
                self._say(event, f"{model.model}: {model.model_type}, {model.parameters or 0:,} parameters")
            case CellFacts(is_group=False) as cell:
                self._say(event, f"level {cell.level} {cell.task}: done in {cell.seconds or 0:.1f}s")
            case FailureFacts() as failure:
                self._say(event, f"level {failure.level} {failure.task} failed: {failure.error}", "error")
            case GpuSamples(samples=samples):
                self._readings.extend(samples)
            case Log() as log:
                self._say(event, log.message, log.level_name)
            case Finished(failed=failed):
                self._say(event, f"finished, {failed} cells failed" if failed else "finished")
            case Stopped(reason=reason):
                self._say(event, f"stopped ({reason})")
            case Refused(error=error) | Crashed(error=error):
                self._say(event, f"{event.kind}: {error}", "error")
            case _:
                pass

    def row(self, state: str | None = None, note: str | None = None) -> RunRow:
        """The run in a line; `state` and `note` are what else is known of it, such as that its process lives."""
        known, attempt = progress(self.history), self.history.attempt
        running = state == RunState.RUNNING
        return RunRow(
            run_id=self.run_id,
            name=self.plan.name,
            model=self.history.model.model if self.history.model else self.plan.model,
            method=self.plan.method,
            levels=self.history.levels,
            tasks=tuple(str(task) for task in self.plan.tasks),
            suite=self.plan.suite,
            state=state or self.history.state,
            done=known.done,
            failed=known.failed,
            total=known.total,
            current=known.current if running else None,
            seconds_left=known.seconds_left if running else None,
            created_at=self.created_at,
            folder=self.folder,
            stage=stage_text(self.history) if running else "",
            note=self.history.note if note is None else note,
            pid=attempt.pid if attempt else None,
            host=attempt.host if attempt else None,
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
            facts=dict(self.history.variants),
            log=tuple(self._log),
            readings=tuple(self._readings),
            task_seconds_left=self._task_seconds_left(row.current),
            elapsed=self.history.elapsed(now if row.running else None),
            now=self.history.now,
            baseline=self._baseline(),
        )

    def _baseline(self) -> str:
        return next((level for level, facts in self.history.variants.items() if facts.pruning_pct == 0), "0")

    def _tree(self) -> tuple[GridRow, ...]:
        """Tasks and groups in the order of the tasks, each group before its parts."""
        tasks = self.history.all_tasks or [spec.name for spec in self.plan.tasks]
        children: dict[str | None, list[str]] = {}
        for task in tasks:
            chain = [task]
            while (parent := self.history.parents.get(chain[-1])) is not None and parent not in chain:
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
        return [task for task in self.history.all_tasks if name in self._above(task)]

    def _above(self, task: str) -> list[str]:
        chain = []
        parent = self.history.parents.get(task)
        while parent is not None and parent not in chain:
            chain.append(parent)
            parent = self.history.parents.get(parent)
        return chain

    def _cell(self, level: str, line: GridRow, headlines: Headlines, current: CurrentCell | None) -> GridCell:
        history, settled = self.history, self.history.settled
        found = history.cells.get((level, line.name))
        score = _score(line.name, found, headlines) if found else None
        if not line.parts:
            failure = history.failures.get((level, line.name))
            if failure is not None:
                return GridCell("failed", failed=1, error=failure.error)
            if found is not None and ((level, line.name) in settled or not history.tasks):
                return GridCell("done", score=score, seconds=found.seconds, done=1)
            if current is not None and (current.level, current.task) == (level, line.name):
                return GridCell("running", share=current.done / current.total if current.total else 0.0)
            return GridCell("pending")
        leaves = self._leaves(line.name)
        states = Counter(settled.get((level, task)) for task in leaves)
        failures = [history.failures[level, task] for task in leaves if (level, task) in history.failures]
        counts: dict[str, Any] = {"done": states["done"], "failed": states["failed"], "total": len(leaves)}
        if found:
            cells = [history.cells[level, task] for task in leaves if (level, task) in history.cells]
            return GridCell("done", score=score, seconds=sum(cell.seconds or 0.0 for cell in cells), **counts)
        if failures:
            return GridCell("failed", error=failures[0].error, **counts)
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


def row_of(digest: Digest, run: RunDir) -> RunRow:
    """The line of a run that no process is at work on."""
    return RunRow(
        run_id=run.run_id,
        name=digest.name,
        model=digest.model,
        method=digest.method,
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


def _score(task: str, cell: CellFacts, headlines: Headlines) -> Score | None:
    metric = headlines.of_cell(task, cell.metrics)
    if metric is None:
        return None
    return Score(metric.metric, metric.filter, metric.value, metric.stderr, metric.higher_is_better)


def _against(cell: GridCell, base: GridCell) -> GridCell:
    if cell.score is None or base.score is None:
        return cell
    delta = cell.score.value - base.score.value
    pct = 100 * delta / abs(base.score.value) if base.score.value else None
    return GridCell(
        **{name: getattr(cell, name) for name in GridCell.__dataclass_fields__}
        | {"baseline": base.score.value, "delta": delta, "delta_pct": pct}
    )
