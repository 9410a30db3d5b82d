"""A run that was refused because a task's data cannot be reached: the same run without that task."""

from __future__ import annotations

import re
from dataclasses import replace

from engine.errors import UserError
from engine.planning.plan import RunPlan
from tui.runs.record import RunRow
from warehouse.records.run_state import RunState

_UNREACHABLE = re.compile(r"The data of task '([^']+)' cannot be reached")  # as engine.evaluation.task_failures has it


def unreachable_task(row: RunRow) -> str | None:
    """The task whose data the run could not have, where that is why it was refused."""
    found = _UNREACHABLE.search(row.note) if row.state == RunState.REFUSED and row.folder is not None else None
    return found[1] if found else None


def plan_without(plan: RunPlan, task: str) -> RunPlan:
    """Raises:
    UserError: it is a part of a group, or the only task.
    """
    rest = tuple(spec for spec in plan.tasks if spec.name != task)
    if len(rest) == len(plan.tasks):
        raise UserError(f"{task} is a part of a group of tasks, so it cannot be left out: c changes the plan.")
    if not rest:
        raise UserError(f"{task} is the run's only task: c changes the plan.")
    return replace(plan, tasks=rest, suite=None)
