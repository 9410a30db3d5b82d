"""Plans and runs from Python. What a worker does is tested with the worker."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import SUITES, TaskSpec
from engine.runs import rundir
from engine.runs.rundir import RunDir
from prune_tui import Level, Run, RunState, UserError, Warehouse, find_run, plan_run, start_run
from prune_tui.running import Settings
from warehouse.records.events import Attempt, Crashed, Planned, Refused, Stopped
from warehouse.store.journal import Journal

PLAN = plan_run("demo", levels="0,40", tasks="demo_story")


def run_that_ended(folder: Path, *ends: Any) -> Run:
    database = folder / "results.duckdb"
    run = RunDir.create(rundir.runs_root(database), PLAN, database)
    journal = Journal(run.journal_path)
    journal.append(Planned(plan=PLAN.to_dict(), conditions=PLAN.conditions("float32"), dtype="float32"))
    journal.append(Attempt(attempt=1, pid=1, host="here", provenance={}))
    for end in ends:
        journal.append(end)
    journal.close()
    return find_run("latest", database)


@pytest.mark.parametrize("levels", ["0,40,2.4x,w300", [0, 40.0, "2.4x", Level.parse("w300")]])
@pytest.mark.parametrize("tasks", ["piqa,gsm8k@5", ["piqa", TaskSpec("gsm8k", 5)]])
def test_levels_and_tasks_are_texts_or_lists(levels: Any, tasks: Any):
    plan = plan_run("org/Tiny", levels=levels, tasks=tasks, limit=10, method="vow")
    assert plan == RunPlan(
        name="Tiny",
        model="org/Tiny",
        levels=tuple(map(Level.parse, ("0", "40", "2.4x", "w300"))),
        tasks=(TaskSpec("piqa"), TaskSpec("gsm8k", 5)),
        limit=10,
        method="vow",
    )


def test_a_suite_is_named_in_the_plan():
    plan = plan_run("demo", suite="demo")
    assert (plan.suite, plan.tasks) == ("demo", SUITES["demo"])
    assert [str(level) for level in plan.levels] == ["0", "10", "20", "30", "40", "50", "60"]


def test_a_folder_is_kept_whole_for_a_worker_that_starts_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    plan = plan_run(Path("model"), tasks="piqa", include_paths=["."])
    assert (plan.model, plan.include_paths, plan.name) == (str(tmp_path / "model"), (str(tmp_path),), "model")


def test_whatever_a_plan_may_say_can_be_said():
    named = {"name", "model", "levels", "tasks", "suite", "include_paths", "sweep", "sweep_name"}
    named |= {"certifies"}  # which `certify` says
    assert set(Settings.__annotations__) == {field.name for field in fields(RunPlan)} - named


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"levels": "ten", "tasks": "piqa"}, "'ten' is not a pruning level"),
        ({"levels": [], "tasks": "piqa"}, "choose some with levels"),
        ({}, "with suite, or tasks with tasks"),
        ({"suite": "demo", "tasks": ["piqa"]}, "suite and tasks were both given"),
        ({"tasks": "piqa", "method": "maws"}, "no pruning method 'maws'"),
        ({"tasks": "piqa", "include_paths": ["nowhere"]}, "give include_paths the one"),
    ],
    ids=["level", "no level", "no task", "both", "method", "folder"],
)
def test_a_plan_that_cannot_be_is_one_sentence_in_the_words_of_the_call(wrong: dict[str, Any], sentence: str):
    with pytest.raises(UserError, match=sentence):
        plan_run("demo", **wrong)


def test_a_refused_run_says_why_when_it_is_waited_for(tmp_path: Path):
    run = run_that_ended(tmp_path, Refused(error="There is no task 'hellaswagg'."))
    assert run.state == "refused"
    with pytest.raises(UserError, match="There is no task 'hellaswagg'"):
        run.wait()


def test_a_run_that_was_started_here_and_refused_leaves_no_folder_once_it_is_told_why(tmp_path: Path, monkeypatch):
    def refuse(folder: RunDir) -> None:
        journal = Journal(folder.journal_path)
        journal.append(Refused(error="There is no task 'hellaswagg'."))
        journal.close()

    monkeypatch.setattr("engine.runs.launch.start", refuse)
    run = start_run(PLAN, tmp_path / "results.duckdb")
    assert run.folder.exists()
    for _ in range(2):
        with pytest.raises(UserError, match="There is no task 'hellaswagg'"):
            run.wait()
        assert run.state == "refused"
    assert not run.folder.exists()


def test_a_run_that_was_refused_when_it_was_taken_up_again_keeps_its_folder(tmp_path: Path, monkeypatch):
    run = run_that_ended(tmp_path, Stopped(reason="SIGINT"))

    def refuse(folder: RunDir) -> None:
        journal = Journal(folder.journal_path)
        journal.append(Refused(error="The weights have changed."))
        journal.close()

    monkeypatch.setattr("engine.runs.launch.start", refuse)
    with pytest.raises(UserError, match="The weights have changed"):
        run.resume().wait()
    assert run.folder.exists()


def test_a_crash_is_no_users_error_and_names_the_log(tmp_path: Path):
    run = run_that_ended(tmp_path, Crashed(error="ValueError: oh", detail="…"))
    with pytest.raises(RuntimeError, match=r"crashed .*worker\.log"):
        run.wait()


def test_waiting_for_a_stopped_run_brings_over_what_it_has(tmp_path: Path):
    run = run_that_ended(tmp_path, Stopped(reason="SIGINT"))
    assert run.wait() is RunState.STOPPED
    assert Warehouse(run.database).runs()["run_id"].to_list() == [run.run_id]
    assert (run.progress.done, run.failures) == (0, {})


def test_a_run_is_found_by_its_id_and_tells_what_it_is(tmp_path: Path):
    run = run_that_ended(tmp_path, Stopped(reason="SIGINT"))
    assert find_run(run.run_id[:15], run.database).folder == run.folder
    assert run.plan == PLAN
    assert repr(run) == f"<Run {run.run_id} (demo): stopped>"
    with pytest.raises(UserError, match="There is no run 'other'"):
        find_run("other", run.database)


def test_a_run_that_nobody_works_on_cannot_be_stopped(tmp_path: Path):
    with pytest.raises(UserError, match="is not running"):
        run_that_ended(tmp_path, Stopped(reason="SIGINT")).stop()


def test_a_file_that_is_no_database_is_refused_before_there_is_a_run(tmp_path: Path):
    (tmp_path / "notes.duckdb").write_text("not a database")
    with pytest.raises(UserError, match="not a DuckDB database"):
        start_run(PLAN, tmp_path / "notes.duckdb")
    assert not (tmp_path / "notes.runs").exists()


@pytest.mark.slow
def test_in_this_process_a_run_leaves_what_a_worker_leaves(tmp_path: Path):
    import signal

    before = signal.getsignal(signal.SIGINT)
    plan = plan_run("demo", levels=[0, 60], tasks=["demo_story"], limit=5)
    here = start_run(plan, tmp_path / "here.duckdb", in_process=True)
    there = start_run(plan, tmp_path / "there.duckdb")
    assert here.state is there.wait() is here.wait() is RunState.FINISHED
    mine, theirs = (Warehouse(run.database).deltas("demo").drop("run_id") for run in (here, there))
    assert mine.equals(theirs)
    assert signal.getsignal(signal.SIGINT) is before
