"""A worker process that is kept for the next run of its model, or is not. The worker here is one without a model."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from staying_worker import WORKER, ended, is_there, until_gone, worked

from engine.errors import RunBusyError
from engine.planning.plan import RunPlan
from engine.planning.profiling import ProfilePlan
from engine.planning.suites import TaskSpec
from engine.runs import launch, launch_record
from engine.runs.create import create_all
from engine.runs.keeping import Keeper, Turn
from engine.runs.rundir import RunDir
from warehouse.records.level import parse_levels
from warehouse.records.run_state import RunState

PLAN = RunPlan(name="first", model="m", levels=tuple(parse_levels("0,40")), tasks=(TaskSpec("piqa"),))
LIKE = [
    replace(PLAN, name="second", method="l2", repair="lsq"),
    replace(PLAN, name="third", tasks=(TaskSpec("boolq"),)),
]


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeper]:
    monkeypatch.setattr(launch, "module_command", lambda module, *words: [sys.executable, "-c", WORKER, *words])
    made = Keeper()
    yield made
    made.let_go()


@pytest.fixture
def runs(tmp_path: Path) -> Callable[..., list[RunDir]]:
    return lambda *plans: create_all(plans, tmp_path / "results.duckdb")


def test_runs_of_one_model_are_worked_on_by_one_process(keeper: Keeper, runs: Callable[..., list[RunDir]]) -> None:
    made = runs(PLAN, *LIKE)
    for run in made:
        worker = keeper.start(run, {"MORE": "a card"})
        assert launch_record.read(run.path) is not None
        assert ended(worker) == launch.FINISHED
        assert worker.poll() == worker.returncode == launch.FINISHED  # also when it works on the next one
    [(number, options)] = {(number, tuple(options)) for number, options in map(worked, made)}
    assert options == ("--stays",)
    starts = [launch_record.read(run.path) for run in made]
    assert [start.pid for start in starts if start is not None] == [number] * 3
    assert is_there(number)
    keeper.let_go()
    assert not is_there(number)


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, model="n"),
        replace(PLAN, revision="b"),
        replace(PLAN, dtype="bfloat16"),
        replace(PLAN, compile_layers=True),
        replace(PLAN, include_paths=("/elsewhere",)),
    ],
    ids=["model", "commit", "dtype", "compiled", "task files"],
)
def test_another_model_or_way_to_compute_has_another_process(
    keeper: Keeper, runs: Callable[..., list[RunDir]], other: RunPlan
) -> None:
    one, two = runs(PLAN, other)
    assert [ended(keeper.start(run)) for run in (one, two)] == [launch.FINISHED] * 2
    assert worked(one)[0] != worked(two)[0]
    assert not is_there(worked(one)[0])


def test_so_has_one_that_is_carried_or_in_another_environment(
    keeper: Keeper, runs: Callable[..., list[RunDir]]
) -> None:
    one, two, three = runs(PLAN, *LIKE)
    ended(keeper.start(one))
    ended(keeper.start(two, {"MORE": "another card"}))
    ended(keeper.start(three, {"MORE": "another card"}, carried=True))
    assert len({worked(run)[0] for run in (one, two, three)}) == 3
    assert sorted(worked(three)[1]) == ["--carried", "--stays"]


@pytest.mark.parametrize(
    "other",
    [replace(PLAN, profile=ProfilePlan()), replace(PLAN, trust_remote_code=True), replace(PLAN, cards=2)],
    ids=["profile", "code of its own", "several cards"],
)
def test_what_is_to_begin_from_nothing_is_not_kept(
    keeper: Keeper, runs: Callable[..., list[RunDir]], other: RunPlan
) -> None:
    one, two = runs(other, other)
    assert [ended(keeper.start(run)) for run in (one, two)] == [launch.FINISHED] * 2
    assert [worked(run)[1] for run in (one, two)] == [[], []]
    assert worked(one)[0] != worked(two)[0]


def test_after_a_failure_the_next_run_has_a_process_of_its_own(
    keeper: Keeper, runs: Callable[..., list[RunDir]]
) -> None:
    one, two, three = runs(replace(PLAN, name="fails"), *LIKE)
    assert [ended(keeper.start(run)) for run in (one, two, three)] == [launch.FAILED, launch.FINISHED, launch.FINISHED]
    assert worked(one)[0] != worked(two)[0] == worked(three)[0]


def test_a_process_that_is_killed_between_two_runs_takes_neither_along(
    keeper: Keeper, runs: Callable[..., list[RunDir]]
) -> None:
    one, two = runs(PLAN, LIKE[0])
    worker = keeper.start(one)
    assert ended(worker) == launch.FINISHED
    psutil.Process(worker.pid).kill()
    until_gone(worker.pid)
    assert worker.poll() == launch.FINISHED
    assert ended(keeper.start(two)) == launch.FINISHED
    assert worked(one)[0] != worked(two)[0]


def test_one_that_is_killed_at_work_ends_so_and_the_run_is_interrupted(
    keeper: Keeper, runs: Callable[..., list[RunDir]]
) -> None:
    one, two = runs(PLAN, replace(PLAN, name="works on"))
    ended(keeper.start(one))
    worker = keeper.start(two)
    assert two.state() is RunState.RUNNING  # though the process has not said a word of it
    worker.send_signal(signal.SIGKILL)
    assert ended(worker) == -signal.SIGKILL
    assert two.state() is RunState.INTERRUPTED


def test_let_go_at_work_it_does_that_and_ends(keeper: Keeper, runs: Callable[..., list[RunDir]]) -> None:
    [run] = runs(replace(PLAN, name="works on"))
    worker = keeper.start(run)
    assert isinstance(worker, Turn)
    keeper.let_go()
    assert worker.poll() is None
    (run.path / "enough").touch()
    assert ended(worker) == launch.FINISHED
    until_gone(worker.pid)


def test_a_run_that_somebody_else_works_on_is_refused_and_the_process_stays(
    keeper: Keeper, runs: Callable[..., list[RunDir]]
) -> None:
    one, two, three = runs(PLAN, *LIKE)
    ended(keeper.start(one))
    with two.lock(), pytest.raises(RunBusyError):
        keeper.start(two)
    ended(keeper.start(three))
    assert worked(one)[0] == worked(three)[0]
    assert not (two.path / "worked").exists()
