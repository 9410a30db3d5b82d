"""Runs are split until there is a piece for each card and none idles long at the end: by their levels, and the longest
tasks by themselves, weighed by the times of earlier runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

from engine.planning.plan import RunPlan
from engine.planning.sweep import as_sweep
from engine.sweeps.expected import Cost
from warehouse.records.level import Level

_UNPRUNED = Level.parse("0")
_WORTH = 0.03  # of the time that all takes: a piece more that gains less is not made
_MOST_A_PLACE = 4  # pieces


@dataclass(frozen=True, slots=True)
class _Part:
    """Levels and tasks of a plan, by their numbers; `seconds` is what they take."""

    plan: int
    levels: tuple[Level, ...]
    tasks: tuple[int, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Parting:
    plans: Sequence[RunPlan]
    costs: Sequence[Cost]
    places: int

    def whole(self) -> list[_Part]:
        return [
            self._part(number, tuple(sorted(plan.levels, key=lambda level: level != _UNPRUNED)), range(len(plan.tasks)))
            for number, plan in enumerate(self.plans)
        ]

    def stages(self, parts: list[_Part], most: int, *, by_tasks: bool) -> list[list[_Part]]:
        """The parts, then one of them in two, and so on, up to so many parts.

        Without `by_tasks` only a part of one level is parted by its tasks.
        """
        stages = [parts]
        while len(stages[-1]) < most and (further := self._further(stages[-1], by_tasks=by_tasks)) is not None:
            stages.append(further)
        return stages

    def _further(self, parts: list[_Part], *, by_tasks: bool) -> list[_Part] | None:
        """The parts with one of them in two, so that all is done sooner or fewer cards work to the end."""
        loads, last = self._loads(parts)
        target = (max(loads) - min(loads)) / 2
        for part in sorted(last, key=lambda part: -part.seconds):
            at = parts.index(part)
            ways = [[*parts[:at], *two, *parts[at + 1 :]] for two in self._in_two(part, target, by_tasks=by_tasks)]
            ends = [_descending(self._loads(way)[0]) for way in ways]
            if not ways:
                continue
            step = max(loads) * _WORTH  # ends that are as near count the same, and the first such way is taken
            best = min(range(len(ways)), key=lambda number: [round(load / step) for load in ends[number]])
            if ends[best] < _descending(loads):
                return ways[best]
        return None

    def end(self, parts: Sequence[_Part]) -> float:
        return max(self._loads(parts)[0])

    def _loads(self, parts: Sequence[_Part]) -> tuple[list[float], list[_Part]]:
        """What each place works, when it takes the next part as it is free, and the parts of the one that ends last."""
        loads, taken = [0.0] * self.places, [list[_Part]() for _ in range(self.places)]
        for part in sorted(parts, key=_urgency):
            place = loads.index(min(loads))
            loads[place] += part.seconds
            taken[place].append(part)
        return loads, taken[loads.index(max(loads))]

    def _in_two(self, part: _Part, target: float, *, by_tasks: bool) -> Iterator[tuple[_Part, _Part]]:
        """Ways to part it so that the second takes about `target`: by levels first."""
        each = sum(self.costs[part.plan].tasks[task] for task in part.tasks)
        if (count := len(part.levels)) > 1:
            ideal = target / each if each else count / 2
            near = {min(max(number, 1), count - 1) for number in (floor(ideal), ceil(ideal))}
            for shed in sorted(near, reverse=True):
                yield (
                    self._part(part.plan, part.levels[:-shed], part.tasks),
                    self._part(part.plan, part.levels[-shed:], part.tasks),
                )
        plan = self.plans[part.plan]
        # Text that neurons are looked at on leaves out what the run's tasks ask: other tasks, other neurons.
        apart = not plan.is_calibrated and not plan.damage
        if apart and len(part.tasks) > 1 and (by_tasks or count == 1):
            shed = self._shed(part, target)
            kept = [task for task in part.tasks if task not in shed]
            yield self._part(part.plan, part.levels, kept), self._part(part.plan, part.levels, shed)

    def _shed(self, part: _Part, target: float) -> list[int]:
        """The longest tasks that fit into the time, or the shortest one; never all."""
        times = self.costs[part.plan].tasks
        found: list[int] = []
        longest_first = sorted(part.tasks, key=lambda task: -times[task])
        for task in longest_first:
            seconds = sum(times[one] for one in [*found, task]) * len(part.levels)
            if seconds <= target and len(found) < len(part.tasks) - 1:
                found.append(task)
        return sorted(found or longest_first[-1:])

    def _part(self, plan: int, levels: Sequence[Level], tasks: Sequence[int]) -> _Part:
        cost = self.costs[plan]
        seconds = (cost.startup or 0.0) + len(levels) * sum(cost.tasks[task] for task in tasks)
        return _Part(plan, tuple(levels), tuple(tasks), seconds)

    def plan_of(self, part: _Part) -> RunPlan:
        plan = self.plans[part.plan]
        if len(part.levels) == len(plan.levels) and len(part.tasks) == len(plan.tasks):
            return plan
        name = plan.name
        if len(part.levels) < len(plan.levels):
            plan = replace(plan, levels=part.levels)
            name += f" level {','.join(map(str, part.levels))}"
        if len(part.tasks) < len(plan.tasks):
            tasks = tuple(plan.tasks[number] for number in part.tasks)
            plan = replace(plan, tasks=tasks, suite=None)
            name += f" {tasks[0].name}" + (f" and {len(tasks) - 1} more" if len(tasks) > 1 else "")
        return replace(plan, name=name)


def split(plans: Sequence[RunPlan], places: int, costs: Sequence[Cost | None]) -> list[RunPlan]:
    """The plans, split where a place would be idle.

    `costs` are what each plan takes, as far as earlier runs tell. Where they tell all of it, plans are split for as
    long as that brings the end nearer by a few per cent, with what each piece takes to start counted in; else only
    until there is a piece for each place, one that none tells taken for as long as the others by level and task. A
    level takes as long as any other of its plan. What has the unpruned level is first, and no longer than the others.
    """
    told = [cost for cost in costs if cost is not None]
    is_known = len(told) == len(costs) and all(cost.startup is not None for cost in told)
    times = [seconds for cost in told for seconds in cost.tasks]
    usual = sum(times) / len(times) if times else 1.0
    filled = [
        cost if cost is not None else Cost(None, (usual,) * len(plan.tasks))
        for plan, cost in zip(plans, costs, strict=True)
    ]
    parting = _Parting(plans, filled, places)
    if is_known:
        most = _MOST_A_PLACE * places
        by_levels = parting.stages(parting.whole(), most, by_tasks=False)
        stages = [
            *by_levels,
            *parting.stages(by_levels[-1], most, by_tasks=True),
            *parting.stages(parting.whole(), most, by_tasks=True),
        ]
        soonest = min(map(parting.end, stages))
        near = [stage for stage in stages if parting.end(stage) <= soonest * (1 + _WORTH)]
        chosen = min(near, key=len)
    else:
        chosen = parting.stages(parting.whole(), places, by_tasks=False)[-1]
    if len(chosen) == len(plans):
        return list(plans)
    found = [parting.plan_of(part) for part in chosen]
    if any(plan.sweep is None for plan in plans):
        found = as_sweep(found, plans[0].name if len(plans) == 1 else None)
    return found


def in_order(plans: Sequence[RunPlan], seconds: Sequence[float | None], places: int) -> list[RunPlan]:
    """Those with an unpruned level first, then the longest: so that no card idles long at the end. On an only place
    model after model, since its worker goes on with what is of the same.
    """
    models = list(dict.fromkeys((plan.model, plan.revision) for plan in plans)) if places == 1 else []
    numbered = sorted(
        range(len(plans)),
        key=lambda number: (
            models.index((plans[number].model, plans[number].revision)) if models else 0,
            _UNPRUNED not in plans[number].levels,
            -(seconds[number] or 0.0),
            number,
        ),
    )
    return [plans[number] for number in numbered]


def _urgency(part: _Part) -> tuple[bool, float]:
    return _UNPRUNED not in part.levels, -part.seconds


def _descending(loads: Sequence[float]) -> list[float]:
    return sorted(loads, reverse=True)
