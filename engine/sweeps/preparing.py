"""From what is asked for to what is carried out: without what is measured already, and in pieces for the places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.planning import task_index
from engine.planning.plan import RunPlan
from engine.planning.task_index import TaskEntry, UnlistedError
from engine.runs.past import Past
from engine.sweeps.expected import expected_cost, expected_seconds
from engine.sweeps.measured import Measured, left, measured
from engine.sweeps.splitting import in_order, split


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """`plans` are carried out, of those that were `asked` for; `measured` is what earlier runs have of each of these,
    and `skips` whether that is not measured again.
    """

    asked: Sequence[RunPlan]
    plans: Sequence[RunPlan]
    measured: Sequence[Sequence[Measured]]
    skips: bool


def prepare(asked: Sequence[RunPlan], database: Path, *, places: int = 0, skips: bool) -> Prepared:
    """`places` are what pieces are worked on at side by side; 0 is one after another, in the order they are asked for.

    Raises:
        UserError: an earlier run names a model that is no more.
    """
    found = measured(asked, database)
    plans = left(asked, found) if skips else list(asked)
    if places and plans:
        plans = _for_places(plans, places, database)
    return Prepared(asked=asked, plans=plans, measured=found, skips=skips)


def _for_places(plans: Sequence[RunPlan], places: int, database: Path) -> list[RunPlan]:
    past = Past.of(database)
    indexes = {plan.include_paths: _index(plan) for plan in plans}
    pieces = split(plans, places, [expected_cost(plan, past, indexes[plan.include_paths]) for plan in plans])
    return in_order(pieces, [expected_seconds(piece, past, indexes[piece.include_paths]) for piece in pieces], places)


def _index(plan: RunPlan) -> Mapping[str, TaskEntry]:
    """What single tasks groups have; nothing where lm-eval's cannot be listed, which whoever checks plans says."""
    try:
        return {entry.name: entry for entry in task_index.load(plan.include_paths)}
    except UnlistedError:
        return {}
