"""Which runs a person means who names a sweep, or a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import RunBusyError, UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.create import create_all
from engine.sweeps import groups
from engine.sweeps.driving import carried_out_by, carrying_out
from engine.sweeps.waiting import is_at_work
from warehouse.records.level import parse_levels

PLAN = RunPlan(name="one", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """One run by itself, and a sweep of two."""
    path = tmp_path / "results.duckdb"
    create_all([PLAN, *(replace(PLAN, name=f"p{n}", sweep="abc-1", sweep_name="mine") for n in range(2))], path)
    return path


def found(database: Path, text: str) -> list[str]:
    return [run.name for run in groups.find(database, text)]


def test_a_sweep_goes_by_its_id_its_name_or_the_beginning_of_its_id(database: Path):
    assert found(database, "abc-1") == found(database, "mine") == found(database, "ab") == ["p0", "p1"]
    assert found(database, "p1") == found(database, "latest") == ["p1"]


def test_a_beginning_that_several_runs_have_means_no_sweep(database: Path):
    create_all([replace(PLAN, sweep="20-sweep"), replace(PLAN, sweep="20-sweep")], database)
    with pytest.raises(UserError, match="'20' fits 5 runs"):
        groups.find(database, "20")


def test_what_is_neither_is_refused(database: Path):
    with pytest.raises(UserError, match="There is no run 'other'"):
        groups.find(database, "other")
    create_all([replace(PLAN, sweep="abc-2", sweep_name="mine")], database)
    with pytest.raises(UserError, match="'mine' fits 2 sweeps: give more of the id, such as abc-1, abc-2"):
        groups.find(database, "mine")


def test_a_sweep_is_carried_out_by_one_process(database: Path):
    runs = groups.members(database, "abc-1")
    assert not is_at_work(runs, database)
    with carrying_out(database, "abc-1"):
        assert carried_out_by(database, "abc-1") is not None
        assert is_at_work(runs, database)
        assert not is_at_work(runs[:1], database)
        with pytest.raises(RunBusyError, match="Sweep abc-1 is being carried out by process"), \
                carrying_out(database, "abc-1"):  # fmt: skip
            pytest.fail("two at once")
    assert carried_out_by(database, "abc-1") is None
