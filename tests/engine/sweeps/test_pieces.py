"""A plan in pieces says what the whole would have said, digit for digit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import DEMO_MODEL, TaskSpec
from engine.runs import launch
from engine.runs.create import create_all
from engine.runs.past import Past
from engine.runs.rundir import RunDir
from engine.sweeps.carrying import Carrying
from engine.sweeps.executor import LocalWorker
from engine.sweeps.expected import expected_cost
from engine.sweeps.measured import measured
from engine.sweeps.preparing import prepare
from engine.sweeps.splitting import split
from warehouse.records.level import parse_levels
from warehouse.records.run_state import RunState


@dataclass(frozen=True)
class TwoPlaces:
    """Two on a CPU, a worker process each."""

    places: tuple[str, str] = ("first", "second")

    def room(self, place: str) -> int | None:
        return None

    def has(self, run: RunDir) -> str | None:
        return None

    def start(self, run: RunDir, place: str) -> LocalWorker:
        return LocalWorker(launch.start(run))

    def rest(self, place: str) -> None: ...

    def close(self) -> None: ...


class Nobody:
    """Watches, and says nothing."""

    def begins(self, run, place): ...
    def cannot_begin(self, run, error): ...
    def event(self, run, event, history): ...
    def moves(self, run, place): ...
    def dies(self, run, history, code, retry): ...
    def ends(self, run, history, code, turns_before): ...


def carry_out(plans: list[RunPlan], database: Path) -> list[RunDir]:
    runs = create_all(plans, database)
    assert Carrying(runs, TwoPlaces(), Nobody())() == []
    assert {run.state() for run in runs} == {RunState.FINISHED}
    return runs


def scores(runs: list[RunDir]) -> dict:
    cells = [cell for run in runs for cell in run.history()[0].cells.values() if not cell.is_group]
    found = {
        (cell.level, cell.task): (cell.samples_hash, cell.questions_hash, cell.tokens_hash, cell.metrics)
        for cell in cells
    }
    assert len(found) == len(cells), "a cell was measured twice"
    return found


@pytest.mark.slow
def test_pieces_by_levels_and_tasks_have_the_results_of_the_whole_and_nothing_is_measured_twice(tmp_path: Path):
    plan = RunPlan(
        name="demo", model=DEMO_MODEL, levels=tuple(parse_levels("0,40")), limit=20,
        tasks=tuple(map(TaskSpec, ("demo_lambada", "demo_story", "demo_facts"))),
    )  # fmt: skip
    whole = carry_out([plan], tmp_path / "whole.duckdb")
    past = Past.of(tmp_path / "whole.duckdb")
    cost = expected_cost(plan, past)
    assert cost is not None
    pieces = split([plan], 4, [replace(cost, startup=0.0)])
    assert len({piece.tasks for piece in pieces}) > 1
    database = tmp_path / "pieces.duckdb"
    runs = carry_out(pieces, database)
    assert scores(runs) == scores(whole)
    assert sum(len(one.cells) for one in measured([plan], database)[0]) == 6  # a group counts as one
    wider = replace(plan, levels=tuple(parse_levels("0,20,40")))
    left = prepare([wider, replace(wider, method="l2", levels=wider.levels[1:])], database, skips=True).plans
    assert [(piece.method, [str(level) for level in piece.levels]) for piece in left] == [
        ("maw", ["20"]), ("l2", ["20", "40"]),
    ]  # fmt: skip
