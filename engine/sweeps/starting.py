"""A sweep that is started and left to itself, as the dashboard does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.runs import launch
from engine.runs.create import check_database, create
from engine.runs.rundir import RunDir
from engine.sweeps import steering
from engine.sweeps.cards import chosen_places
from engine.sweeps.preparing import prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A sweep by its id, or the one run that was left to do; `not_again` are the cells that earlier runs have."""

    sweep: str | None = None
    run: RunDir | None = None
    not_again: int = 0


def start_sweep(asked: Sequence[RunPlan], gpus: str, database: Path) -> Started:
    """Start what of the plans is not measured yet, on GPUs as `--gpus` has them, or one run after another.

    Raises:
        UserError: nothing is left to measure, there are no such GPUs, or it was refused.
        OSError: the folder cannot be written.
    """
    cards = chosen_places(gpus, asked) if gpus else []
    prepared = prepare(asked, database, places=len(cards), skips=len(asked) > 1)
    not_again = sum(len(one.cells) for runs in prepared.measured for one in runs) if prepared.skips else 0
    if not prepared.plans:
        raise UserError("All of it is measured already, under the same conditions: nothing is left to do.")
    if len(prepared.plans) == 1:
        check_database(database)
        run = create(prepared.plans[0], database)
        launch.start(run, cards[0].environment if cards else None)
        return Started(run=run, not_again=not_again)
    return Started(sweep=steering.begin(prepared.plans, cards, database), not_again=not_again)
