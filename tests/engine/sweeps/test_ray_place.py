"""A place of a cluster keeps its worker for the next piece of the same model, and no longer than some seconds."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from staying_worker import WORKER, is_there, worked

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import launch
from engine.runs.create import create_all
from engine.runs.rundir import RunDir
from engine.sweeps import ray_place
from engine.sweeps.ray_place import Place
from warehouse.records.level import parse_levels

PLAN = RunPlan(name="first", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(launch, "module_command", lambda module, *words: [sys.executable, "-c", WORKER, *words])
    monkeypatch.setattr(Place, "_watch", lambda self: None)
    (tmp_path / "pieces").mkdir()
    return Place("finish", tmp_path / "pieces")


def code_of(place: Place, run: RunDir) -> int:
    asked = {"run": run.run_id, "attempt": 1, "have": {}, "part": None, "journal": 0, "log": 0}
    deadline = time.monotonic() + 60
    while (told := place.pull(asked | {"stop": "", "shared": False}))["code"] is None:
        assert time.monotonic() < deadline
    code: int = told["code"]
    return code


def carry(place: Place, run: RunDir) -> int:
    """The process that worked on it."""
    files: dict[str, Any] = {"plan.json": (run.path / "plan.json").read_bytes()}
    place.start(run.run_id, 1, files, None)
    assert code_of(place, run) == launch.FINISHED
    number, options = worked(RunDir(place._of(run.run_id, 1)))
    assert sorted(options) == ["--carried", "--stays"]
    place.forget(run.run_id, 1)
    assert not place._of(run.run_id, 1).exists()
    return number


def test_pieces_of_one_model_have_one_process(place: Place, tmp_path: Path) -> None:
    plans = [PLAN, replace(PLAN, name="second", method="l2"), replace(PLAN, name="other", model="n")]
    one, two, other = create_all(plans, tmp_path / "results.duckdb")
    first = carry(place, one)
    assert carry(place, two) == first
    assert carry(place, other) != first
    assert not is_there(first)
    place._keeper.let_go()


def test_one_that_nothing_follows_gives_the_cards_memory_back(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = create_all([PLAN, replace(PLAN, name="second")], tmp_path / "results.duckdb")
    first = carry(place, one)
    place._let_go()
    assert is_there(first)
    monkeypatch.setattr(ray_place, "_KEEPS_FOR", -1.0)
    place._let_go()
    assert not is_there(first)
    assert carry(place, two) != first
    place._keeper.let_go()


def test_what_is_at_work_is_not_let_go(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [run] = create_all([replace(PLAN, name="works on")], tmp_path / "results.duckdb")
    monkeypatch.setattr(ray_place, "_KEEPS_FOR", -1.0)
    place.start(run.run_id, 1, {"plan.json": (run.path / "plan.json").read_bytes()}, None)
    place._let_go()
    assert place._work is not None
    assert place._work.worker.poll() is None
    number = place._work.worker.pid
    (place._of(run.run_id, 1) / "enough").touch()
    assert code_of(place, run) == launch.FINISHED
    place._let_go()
    assert not is_there(number)
