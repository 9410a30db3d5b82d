"""The grid of a run, filling in as it goes: tasks and groups of tasks down, levels across."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from warehouse.read.grid import Cell, Grid, change, is_better
from warehouse.read.headlines import Headlines
from warehouse.records.facts import CellFacts
from warehouse.records.run_state import CurrentCell, RunHistory


@dataclass(frozen=True, slots=True)
class Line:
    """A task, or a group with its `parts`, `depth` groups below the top."""

    name: str
    parts: tuple[str, ...] = ()
    depth: int = 0


LiveGrid = Grid[Line, str]
"""Its columns are levels as the plan has them."""


def run_grid(
    history: RunHistory, *, headlines: Headlines | None = None, planned: Sequence[str] = (), running: bool = True
) -> LiveGrid:
    """The grid as the history tells it. `headlines` say which metric stands for a task: without them there is no score.

    Before the tasks are built those that were `planned` stand for them. Of a run that is not `running` no cell is.
    """
    return _Building(history, headlines, history.current if running else None).grid(planned)


def unpruned_level(history: RunHistory) -> str:
    """The level that the others are compared with."""
    return next((level for level, facts in history.variants.items() if facts.pruning_pct == 0), "0")


@dataclass(frozen=True, slots=True)
class _Building:
    history: RunHistory
    headlines: Headlines | None
    current: CurrentCell | None

    def grid(self, planned: Sequence[str]) -> LiveGrid:
        lines = self._lines(self.history.all_tasks or list(planned))
        tasks = {line.name: self._tasks(line) for line in lines}
        settled = self.history.settled
        cells: dict[tuple[Line, str], Cell] = {}
        for line in lines:
            for level in self.history.levels:
                states = Counter(settled.get((level, task)) for task in tasks[line.name])
                make = self._group if line.parts else self._task
                cells[line, level] = make(level, line.name, tasks[line.name], states)
        unpruned = unpruned_level(self.history)
        for (line, level), cell in list(cells.items()):
            if level != unpruned and (baseline := cells.get((line, unpruned))) is not None:
                cells[line, level] = _against(cell, baseline)
        return Grid(tuple(lines), self.history.levels, cells)

    def _lines(self, tasks: Sequence[str]) -> list[Line]:
        """Tasks and groups in the order of the tasks, each group before its parts."""
        parts: dict[str | None, dict[str, None]] = {}
        for task in tasks:
            chain = [task, *self._above(task)]
            for name, above in zip(chain, [*chain[1:], None], strict=True):
                parts.setdefault(above, {}).setdefault(name)
        lines: list[Line] = []

        def visit(name: str, depth: int) -> None:
            below = tuple(parts.get(name, ()))
            lines.append(Line(name, below, depth))
            for part in below:
                visit(part, depth + 1)

        for name in parts.get(None, ()):
            visit(name, 0)
        return lines

    def _above(self, task: str) -> list[str]:
        """The groups that it is in, from the nearest to the top."""
        chain = [task]
        while (group := self.history.parents.get(chain[-1])) is not None and group not in chain:
            chain.append(group)
        return chain[1:]

    def _tasks(self, line: Line) -> list[str]:
        """A task itself, or all those below a group."""
        if not line.parts:
            return [line.name]
        return [task for task in self.history.all_tasks if line.name in self._above(task)]

    def _task(self, level: str, name: str, tasks: Sequence[str], states: Counter[str | None]) -> Cell:
        history, at = self.history, (level, name)
        if (failure := history.failures.get(at)) is not None:
            return Cell(state="failed", failed=1, error=failure.error)
        facts = history.cells.get(at)
        if facts is not None and (states["done"] or not history.tasks):
            return self._scored(Cell(done=1, seconds=facts.seconds), facts)
        if (share := self._share(level, tasks, 0)) is not None:
            return Cell(state="running", share=share)
        return Cell(state="pending")

    def _group(self, level: str, name: str, tasks: Sequence[str], states: Counter[str | None]) -> Cell:
        history = self.history
        cell = Cell(done=states["done"], failed=states["failed"], total=len(tasks))
        if (facts := history.cells.get((level, name))) is not None:
            parts = [history.cells[level, task] for task in tasks if (level, task) in history.cells]
            return self._scored(replace(cell, seconds=sum(part.seconds or 0.0 for part in parts)), facts)
        failure = next((history.failures[level, task] for task in tasks if (level, task) in history.failures), None)
        if failure is not None:
            return replace(cell, state="failed", error=failure.error)
        if (share := self._share(level, tasks, states["done"])) is not None:
            return replace(cell, state="running", share=share)
        return replace(cell, state="partial" if states["done"] else "pending")

    def _share(self, level: str, tasks: Sequence[str], done: int) -> float | None:
        """How much of these tasks is done at a level that one of them is evaluated at."""
        current = self.current
        if current is None or current.level != level or current.task not in tasks:
            return None
        return (done + (current.done / current.total if current.total else 0.0)) / len(tasks)

    def _scored(self, cell: Cell, facts: CellFacts) -> Cell:
        metric = None if self.headlines is None else self.headlines.choose(facts.task, facts.metrics)
        if metric is None:
            return cell
        return replace(
            cell,
            metric=metric.metric,
            filter=metric.filter,
            value=metric.value,
            stderr=metric.stderr,
            higher_is_better=metric.higher_is_better,
        )


def _against(cell: Cell, unpruned: Cell) -> Cell:
    if cell.value is None or unpruned.value is None:
        return cell
    delta, delta_pct = change(cell.value, unpruned.value)
    better = is_better(delta, cell.higher_is_better)
    return replace(cell, baseline=unpruned.value, delta=delta, delta_pct=delta_pct, improved=better)
