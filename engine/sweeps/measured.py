"""What of a plan earlier runs have measured already under the same conditions, and what is left of it to measure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.planning.sweep import as_sweep
from engine.runs import rundir
from engine.sweeps.same_model import asks_the_same
from warehouse.records.level import Level
from warehouse.records.run_state import RunHistory
from warehouse.stats.metrics.damage import TASK as DAMAGE

# What may differ between two plans whose cells say the same; `same_model` looks at device and revision.
_FREE = {
    "name", "levels", "tasks", "suite", "sweep", "sweep_name", "batch_tokens", "compile_layers", "use_cache", "device",
    "cards", "trust_remote_code", "trust_task_code", "skip_broken_tasks", "damage", "revision", "profile",
    "certifies",
}  # fmt: skip
_OF_PRUNING = {"method", "repair", "calibration", "calibration_tokens", "calibration_length", "divisor"}
_UNPRUNED = Level.parse("0")


@dataclass(frozen=True, slots=True)
class Measured:
    """Cells of a plan, as (level, task), that a run has; `revision` is the commit of a model on the hub."""

    run_id: str
    cells: tuple[tuple[str, str], ...]
    revision: str | None = None


def measured(plans: Iterable[RunPlan], database: Path) -> list[list[Measured]]:
    """For each plan, the runs that have some of it, oldest first; a cell is counted with the first that has it. Tasks
    of a group count together.
    """
    plans = list(plans)
    found: list[list[Measured]] = [[] for _ in plans]
    taken: list[set[tuple[Level, TaskSpec]]] = [set() for _ in plans]
    for run in rundir.all_runs(database):
        try:
            theirs, history = run.plan, None
            for number, plan in enumerate(plans):
                levels = [level for level in plan.levels if level in theirs.levels and _same(plan, theirs, level)]
                if not levels:
                    continue
                history = history or run.history()[0]
                if not asks_the_same(plan, run, history):
                    continue
                cells = [cell for cell in _cells(plan, theirs, levels, history) if cell not in taken[number]]
                if cells:
                    taken[number].update(cells)
                    texts = tuple((str(level), str(task)) for level, task in cells)
                    revision = history.model.revision if history.model is not None else None
                    found[number].append(Measured(run.run_id, texts, revision))
        except (UserError, OSError):  # damaged, which `runs` says; or deleted under our eyes
            continue
    return found


def left(plans: Sequence[RunPlan], found: Sequence[Sequence[Measured]]) -> list[RunPlan]:
    """The plans without what was measured: levels that lack the same tasks stay together, a plan that lacks none is
    none. A model on the hub is held to the commit that its other cells are of.
    """
    parts: list[RunPlan] = []
    for plan, runs in zip(plans, found, strict=True):
        have = {cell for one in runs for cell in one.cells}
        lacking: dict[tuple[TaskSpec, ...], list[Level]] = {}
        for level in plan.levels:
            if missing := tuple(task for task in plan.tasks if (str(level), str(task)) not in have):
                lacking.setdefault(missing, []).append(level)
        revision = next((one.revision for one in runs if one.revision is not None), plan.revision)
        for tasks, levels in lacking.items():
            part = replace(plan, levels=tuple(levels), tasks=tasks, revision=revision)
            if len(lacking) > 1:
                part = replace(part, name=f"{plan.name} level {','.join(map(str, levels))}")
            parts.append(part if tasks == plan.tasks else replace(part, suite=None))
    if len(parts) > 1 and any(plan.sweep is None for plan in parts):
        parts = as_sweep(parts, plans[0].name if len(plans) == 1 else None)
    return parts


def _same(plan: RunPlan, theirs: RunPlan, level: Level) -> bool:
    """Whether their cells at a level are what the plan's would be, their model apart."""
    told, other = plan.to_dict(), theirs.to_dict()
    free = _FREE | _OF_PRUNING if level == _UNPRUNED else _FREE
    if any(told[name] != other[name] for name in told.keys() - free):
        return False
    if plan.profile is not None or (plan.damage and not theirs.damage):  # a profile is of the machine and the day
        return False
    # Text that neurons are looked at on leaves out what the run's tasks ask.
    return not _is_whole(plan, level) or set(plan.tasks) == set(theirs.tasks)


def _is_whole(plan: RunPlan, level: Level) -> bool:
    """Whether what a level's cells say depends on which tasks there are beside them."""
    return plan.damage or (plan.is_calibrated and level != _UNPRUNED)


def _cells(
    plan: RunPlan, theirs: RunPlan, levels: Sequence[Level], history: RunHistory
) -> Iterator[tuple[Level, TaskSpec]]:
    for level in levels:
        own = [task for task in plan.tasks if task in theirs.tasks and _has(history, str(level), task.name)]
        lacks_damage = plan.damage and (str(level), DAMAGE) not in history.cells
        if _is_whole(plan, level) and (len(own) < len(plan.tasks) or lacks_damage):
            continue
        yield from ((level, task) for task in own)


def _has(history: RunHistory, level: str, task: str) -> bool:
    """A task's cell, or those of all tasks of a group."""
    if (level, task) in history.cells:
        return True
    parts = [name for name in history.found if _is_under(history, name, task)]
    return bool(parts) and all((level, name) in history.cells for name in parts)


def _is_under(history: RunHistory, name: str, group: str) -> bool:
    above = history.parents.get(name)
    while above is not None and above != group:
        above = history.parents.get(above)
    return above == group
