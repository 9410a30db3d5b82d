"""From one plan to several: a run for each method and repair, which measure the unpruned model once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from engine.errors import UserError
from engine.planning.plan import RunPlan
from warehouse.records.level import Level

_UNPRUNED = Level.parse("0")


def spread(plans: Sequence[RunPlan], methods: Sequence[str], repairs: Sequence[str]) -> list[RunPlan]:
    """Each plan with each method and repair, model by model, under one id where that makes several runs.

    A model's first run measures the unpruned level, and the others are compared with it. Those that look at no text are
    told of none.

    Raises:
        UserError: a text is named that nothing looks at, or the others would have no level.
    """
    return spread_each([(plan, methods, repairs) for plan in plans])


def spread_each(
    asked: Sequence[tuple[RunPlan, Sequence[str], Sequence[str]]], name: str | None = None
) -> list[RunPlan]:
    """The same with methods and repairs of each plan's own; the sweep is called `name`."""
    found: list[RunPlan] = []
    for plan, methods, repairs in asked:
        ways = [(method, repair) for method in methods for repair in repairs]
        of_model = [_with(plan, method, repair, among=len(ways)) for method, repair in ways]
        found += [of_model[0], *(_without_unpruned(other) for other in of_model[1:])]
    if not any(plan.is_calibrated or plan.damage for plan in found) and any(_names_text(plan) for plan, _, _ in asked):
        methods = dict.fromkeys(method for _, methods, _ in asked for method in methods)
        raise UserError(
            f"A calibration text is named, and {' and '.join(methods)} without repair looks at none: leave it out, or "
            "choose another method or a repair."
        )
    return found if len(found) == 1 else as_sweep(found, name)


def as_sweep(plans: Sequence[RunPlan], name: str | None = None) -> list[RunPlan]:
    """The plans under one new id, and under a name where there is one."""
    sweep = new_id()
    return [replace(plan, sweep=sweep, sweep_name=name) for plan in plans]


def new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _with(plan: RunPlan, method: str, repair: str, *, among: int) -> RunPlan:
    way = method if repair == "none" else f"{method}+{repair}"
    found = replace(plan, method=method, repair=repair, name=f"{plan.name} {way}" if among > 1 else plan.name)
    if found.is_calibrated or found.damage:  # damage is measured on text of the same kind, for all of them
        return found
    return replace(found, calibration=None, calibration_tokens=None, calibration_length=None)


def _without_unpruned(plan: RunPlan) -> RunPlan:
    levels = tuple(level for level in plan.levels if level != _UNPRUNED)
    if not levels:
        raise UserError("Level 0 alone is the same for every method and repair: add others, such as 0,20,40.")
    return replace(plan, levels=levels)


def _names_text(plan: RunPlan) -> bool:
    return (plan.calibration, plan.calibration_tokens, plan.calibration_length) != (None, None, None)
