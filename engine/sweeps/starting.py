"""A sweep that is started and left to itself, as the dashboard does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.where import Where
from engine.runs import launch
from engine.runs.create import check_database, create
from engine.runs.rundir import RunDir
from engine.sweeps import steering
from engine.sweeps.places import places_seen_from_afar
from engine.sweeps.preparing import prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A sweep by its id, or the one run that was left to do; `not_again` are the cells that earlier runs have."""

    sweep: str | None = None
    run: RunDir | None = None
    not_again: int = 0


def start_sweep(asked: Sequence[RunPlan], where: Where, database: Path) -> Started:
    """Start what of the plans is not measured yet, there.

    Raises:
        UserError: nothing is left to measure, there is no such place, or it was refused.
        OSError: the folder cannot be written.
    """
    places = places_seen_from_afar(where, asked)
    prepared = prepare(asked, database, places=places.count, skips=len(asked) > 1)
    not_again = sum(len(one.cells) for runs in prepared.measured for one in runs) if prepared.skips else 0
    if not prepared.plans:
        raise UserError("All of it is measured already, under the same conditions: nothing is left to do.")
    if len(prepared.plans) == 1 and not where.is_cluster:
        check_database(database)
        run = create(prepared.plans[0], database)
        launch.start(run, places.cards[0].environment if places.cards else None)
        return Started(run=run, not_again=not_again)
    runs = steering.begin(prepared.plans, where, database)
    if len(runs) == 1:
        return Started(run=runs[0], not_again=not_again)
    return Started(sweep=runs[0].plan.sweep, not_again=not_again)
