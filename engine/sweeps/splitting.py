"""Fewer runs than cards: runs are split by their levels until there is a piece for each, the longest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.planning.plan import RunPlan
from engine.planning.sweep import as_sweep
from warehouse.records.level import Level

_UNPRUNED = Level.parse("0")


def split(plans: Sequence[RunPlan], places: int, seconds: Sequence[float | None]) -> list[RunPlan]:
    """As many plans as there are places, or as there are levels; more are left as they are.

    `seconds` are what each plan takes, as far as earlier runs tell; one that none tells is taken for as long as the
    others are on average. A level takes as long as any other of its plan. What has the unpruned level is first.
    """
    if len(plans) >= places:
        return list(plans)
    told = [one for one in seconds if one]
    usual = sum(told) / len(told) if told else 1.0
    weights = [(one or usual) if told else float(len(plan.levels)) for plan, one in zip(plans, seconds, strict=True)]
    parts = [1] * len(plans)
    while sum(parts) < places:
        can = [number for number, plan in enumerate(plans) if parts[number] < len(plan.levels)]
        if not can:
            break
        parts[max(can, key=lambda number: weights[number] / parts[number])] += 1
    found = [part for plan, count in zip(plans, parts, strict=True) for part in _parted(plan, count)]
    if len(found) == len(plans):
        return list(plans)
    if any(plan.sweep is None for plan in plans):
        found = as_sweep(found, plans[0].name if len(plans) == 1 else None)
    return found


def in_order(plans: Sequence[RunPlan], seconds: Sequence[float | None]) -> list[RunPlan]:
    """Those with an unpruned level first, then the longest: so that no card idles long at the end."""
    numbered = sorted(
        range(len(plans)), key=lambda number: (_UNPRUNED not in plans[number].levels, -(seconds[number] or 0.0), number)
    )
    return [plans[number] for number in numbered]


def _parted(plan: RunPlan, parts: int) -> list[RunPlan]:
    """Neighbouring levels stay together; the unpruned one is in the first part, which is no longer than the others."""
    if parts == 1:
        return [plan]
    levels = sorted(plan.levels, key=lambda level: level != _UNPRUNED)
    size, more = divmod(len(levels), parts)
    found: list[RunPlan] = []
    for number in range(parts):
        own, levels = levels[: (count := size + (number >= parts - more))], levels[count:]
        found.append(replace(plan, levels=tuple(own), name=f"{plan.name} level {','.join(map(str, own))}"))
    return found
