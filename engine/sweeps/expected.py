"""How long a piece takes, and each of its tasks, as earlier runs tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.planning.forecast import forecast, single_tasks
from engine.planning.plan import RunPlan
from engine.planning.task_index import TaskEntry
from engine.runs.past import Past


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds: `startup` once for each piece, `tasks` for each level, in the order of the plan's. `startup` is None
    where no earlier run tells it.
    """

    startup: float | None
    tasks: tuple[float, ...]


def expected_seconds(plan: RunPlan, past: Past, index: Mapping[str, TaskEntry] | None = None) -> float | None:
    """None where no earlier run tells. Of groups that are not in the index nothing is known: others stand for them."""
    return forecast(plan, None, index or {}, past.timings, past.startups, past.lookings, past.draws).seconds


def expected_cost(plan: RunPlan, past: Past, index: Mapping[str, TaskEntry] | None = None) -> Cost | None:
    """The same by tasks; one that no earlier run tells takes as long as the others do on average."""
    times: list[list[float | None]] = []
    for spec in plan.tasks:
        names, _ = single_tasks(spec.name, index or {})
        times.append([past.timings.get((plan.model, name, plan.limit)) for name in names])
    known = [one for of_task in times for one in of_task if one is not None]
    if not known:
        return None
    usual = sum(known) / len(known)
    tasks = tuple(sum(usual if one is None else one for one in of_task) for of_task in times)
    return Cost(past.startups.get(plan.model), tasks)
