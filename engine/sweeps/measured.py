"""What of a plan earlier runs have measured already, under the same conditions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.runs import rundir

# What may differ between two plans whose cells say the same.
_FREE = {
    "name", "levels", "tasks", "suite", "sweep", "sweep_name", "batch_tokens", "compile_layers", "use_cache", "device",
    "trust_remote_code", "trust_task_code", "skip_broken_tasks", "damage", "profile",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """Cells of a plan, as (level, task), that a run has."""

    run_id: str
    cells: tuple[tuple[str, str], ...]


def measured(plans: Iterable[RunPlan], database: Path) -> list[list[Measured]]:
    """For each plan, the runs that have some of it, oldest first; tasks of a group count together."""
    plans = list(plans)
    keys = [_key(plan) for plan in plans]
    found: list[list[Measured]] = [[] for _ in plans]
    for run in rundir.all_runs(database):
        try:
            theirs = run.plan
            key = _key(theirs)
            if key not in keys:
                continue
            history, _ = run.history()
        except UserError:  # damaged: `runs` says so
            continue
        for plan, own, into in zip(plans, keys, found, strict=True):
            cells = [
                (str(level), str(task))
                for level in plan.levels
                for task in plan.tasks
                if task in theirs.tasks and (str(level), task.name) in history.cells
            ]
            if own == key and cells:
                into.append(Measured(run.run_id, tuple(cells)))
    return found


def _key(plan: RunPlan) -> str:
    told = plan.to_dict()
    return repr({name: told[name] for name in sorted(told.keys() - _FREE)})
