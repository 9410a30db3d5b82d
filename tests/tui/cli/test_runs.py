"""How a run looks from the command line, whatever befalls its worker."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from cases import one_in

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.create import create
from engine.runs.rundir import RunDir
from tui.cli import session
from warehouse.errors import DatabaseBusyError
from warehouse.records.events import Attempt, Finished
from warehouse.records.level import parse_levels
from warehouse.records.run_state import RunState
from warehouse.store.journal import Journal

RUN = ("run", "org/tiny", "--levels", "0,40", "--tasks", "piqa,boolq", "--name")


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def only_run(fake) -> RunDir:
    (path,) = fake.runs
    return RunDir(path)


def cells(fake) -> list[tuple]:
    with duckdb.connect(fake.cwd / "results.duckdb", read_only=True) as con:
        return con.sql("select level, task from cells order by all").fetchall()


def is_at_work(fake) -> bool:
    """Its worker hangs in a cell, and heeds signals: before that, a stop leaves the run interrupted."""
    return bool(fake.runs and "40" in str(only_run(fake).history()[0].current))


EVERY_CELL = [("0", "boolq"), ("0", "piqa"), ("40", "boolq"), ("40", "piqa")]


def test_a_run_ends_with_its_delta_table_and_leaves_its_results_in_the_database(fake):
    done = fake(*RUN, "fine")
    assert done.returncode == 0, done.stderr
    assert "org/tiny, pruned with MAW" in done.stdout
    assert "0.5000" in done.stdout
    assert "-8.0%" in done.stdout
    assert "results.duckdb" in done.stderr
    assert cells(fake) == EVERY_CELL


def test_resume_of_a_finished_run_brings_over_what_never_arrived(fake):
    assert fake(*RUN, "fine").returncode == 0
    (fake.cwd / "results.duckdb").unlink()
    again = fake("resume", "latest")
    assert again.returncode == 0
    assert "nothing is missing" in again.stderr
    assert cells(fake) == EVERY_CELL


def test_progress_without_a_terminal_is_a_line_a_cell(fake):
    done = fake(*RUN, "fine")
    lines = [line for line in done.stderr.splitlines() if "done in" in line]
    assert len(lines) == 4
    assert "level 0 piqa" in lines[0]
    assert "4 of 4 evaluations" in lines[3]
    assert "\x1b" not in done.stderr


def test_json_gives_a_script_what_it_needs(fake):
    done = fake(*RUN, "fine", "--json")
    (run,) = json.loads(done.stdout)["runs"]
    assert run["state"] == "finished"
    assert run["model"] == "org/tiny"
    assert run["cells"] == {"done": 4, "failed": 0, "total": 4}
    assert run["failures"] == []
    assert Path(run["folder"], "journal.jsonl").exists()
    scores = run.pop("scores")
    assert [(one["level"], one["task"], one["value"]) for one in scores[:2]] == [
        ("0", "boolq", 0.5),
        ("0", "piqa", 0.5),
    ]
    assert json.loads(fake("runs", "--json").stdout)["runs"] == [run]
    shown = json.loads(fake("show", "latest", "--json").stdout)
    assert shown.items() >= run.items()
    assert shown["scores"] == scores


def test_failed_cells_are_listed_and_tried_again_by_resume(fake):
    failed = fake(*RUN, "fail")
    assert failed.returncode == 1
    assert "2 of 4 evaluations failed" in failed.stderr
    assert "level 40 piqa: OutOfMemoryError: full" in failed.stderr
    assert "prune-tui resume" in failed.stderr
    assert "finished with failures" in fake("runs").stdout
    again = fake("resume", "latest")
    assert again.returncode == 0, again.stderr
    assert cells(fake) == EVERY_CELL


def test_a_refused_plan_is_one_sentence_and_leaves_nothing_behind(fake):
    refused = fake(*RUN, "refuse")
    assert refused.returncode == 2
    complaint = refused.stderr.splitlines()[-1]
    assert complaint == "prune-tui: This model cannot be pruned: \N{REPLACEMENT CHARACTER}[31mtry [bold]another[/bold]."
    assert "Traceback" not in refused.stderr
    assert fake.runs == []
    assert not (fake.cwd / "results.duckdb").exists()


def test_a_refused_resume_keeps_the_run(fake):
    fake(*RUN, "hang", "--detach")
    wait_for(lambda: is_at_work(fake))
    fake("stop", "latest")
    plan = only_run(fake).path / "plan.json"
    plan.write_text(plan.read_text().replace('"hang"', '"refuse"'))
    refused = fake("resume", "latest")
    assert refused.returncode == 2
    assert "cannot be pruned" in refused.stderr
    assert only_run(fake).state() == RunState.REFUSED


@pytest.mark.parametrize(
    ("name", "words"),
    one_in(3, [("die", "killed by SIGKILL"), ("crash", "ValueError: oops"), ("silent", "no module named torch")]),
)
def test_a_dead_worker_is_reported_and_its_run_goes_on_with_resume(fake, name: str, words: str):
    dead = fake(*RUN, name)
    assert dead.returncode == 1
    assert words in dead.stderr
    assert f"prune-tui resume {only_run(fake).run_id}" in dead.stderr
    if name == "silent":
        return
    assert cells(fake) == [("0", "piqa")]
    assert fake("resume", "latest").returncode == 0
    assert cells(fake) == EVERY_CELL


@pytest.mark.slow
def test_ctrl_c_stops_the_worker_cleanly(fake):
    process = fake.start(*RUN, "hang")
    wait_for(lambda: is_at_work(fake))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 130
    assert "Stopping after the current batch" in errors
    assert "2 of 4 evaluations are done" in errors
    assert only_run(fake).state() == RunState.STOPPED
    assert cells(fake) == EVERY_CELL[:2]
    assert fake("resume", "latest").returncode == 0
    assert cells(fake) == EVERY_CELL


def test_a_second_ctrl_c_leaves_the_worker(fake):
    process = fake.start(*RUN, "deaf")
    wait_for(lambda: is_at_work(fake))
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert any("Stopping after the current batch" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 130
    assert "Left alone" in errors
    who = only_run(fake).holder()
    assert who is not None
    os.kill(who.pid, signal.SIGKILL)


def test_the_worker_survives_the_terminal(fake):
    process = fake.start(*RUN, "hang")
    wait_for(lambda: is_at_work(fake))
    os.killpg(process.pid, signal.SIGHUP)
    process.communicate(timeout=90)
    assert process.returncode == -signal.SIGHUP
    assert only_run(fake).state() == RunState.RUNNING
    stopped = fake("stop", "latest")
    assert stopped.returncode == 0
    assert only_run(fake).state() == RunState.STOPPED


def test_a_detached_run_can_be_seen_and_stopped_but_not_started_twice(fake):
    assert fake(*RUN, "hang", "--detach").returncode == 0
    wait_for(lambda: is_at_work(fake))
    assert "running" in fake("runs").stdout
    twice = fake("resume", "hang")
    assert twice.returncode == 2
    assert "being worked on by process" in twice.stderr
    assert fake("stop", "hang").returncode == 0
    again = fake("stop", "hang")
    assert again.returncode == 2
    assert "not running: it is stopped" in again.stderr


def test_a_detached_run_that_is_refused_says_so_and_leaves_nothing(fake):
    done = fake(*RUN, "refuse", "--detach")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("prune-tui: This model cannot be pruned")
    assert fake.runs == []


@pytest.mark.slow
def test_a_worker_that_does_not_stop_is_said_to_and_killed_by_force(fake):
    assert fake(*RUN, "deaf", "--detach").returncode == 0
    wait_for(lambda: is_at_work(fake))
    run_id = only_run(fake).run_id
    waited = fake("stop", "deaf", "--timeout", "0.1")
    assert waited.returncode == 2
    assert "has not stopped within 0.1 seconds: its process" in waited.stderr
    assert f"`prune-tui stop {run_id} --force` kills it" in waited.stderr
    killed = fake("stop", "deaf", "--force", "--timeout", "0.1")
    assert killed.returncode == 0
    assert "so it was killed" in killed.stderr
    assert f"Run {run_id} is interrupted: `prune-tui resume {run_id}` takes it up again." in killed.stderr
    assert fake("resume", "latest").returncode == 0
    assert cells(fake) == EVERY_CELL


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf"])
def test_a_time_limit_that_is_none_is_refused(fake, seconds: str):
    done = fake("stop", "latest", "--timeout", seconds)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is no time to wait" in done.stderr


def test_resuming_a_finished_run_says_that_nothing_is_missing(fake):
    fake(*RUN, "fine")
    again = fake("resume", "latest")
    assert again.returncode == 0
    assert "nothing is missing" in again.stderr


@pytest.mark.slow
def test_several_models_are_run_one_after_another(fake):
    done = fake("run", "org/a", "org/b", "--levels", "0,40", "--tasks", "piqa")
    assert done.returncode == 0, done.stderr
    assert [RunDir(path).plan.model for path in fake.runs] == ["org/a", "org/b"]
    assert all(RunDir(path).state() == RunState.FINISHED for path in fake.runs)


@pytest.mark.slow
def test_what_was_not_begun_is_named_and_can_be_taken_up(fake):
    process = fake.start("run", "org/a", "org/b", "org/c", *RUN[2:], "hang", "--db", "other.duckdb", "--json")
    root = fake.cwd / "other.runs"
    wait_for(lambda: root.exists() and len(list(root.glob("*/plan.json"))) == 3)
    first, *others = (RunDir(plan.parent) for plan in sorted(root.glob("*/plan.json")))
    wait_for(lambda: "40" in str(first.history()[0].current))
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=90)
    assert process.returncode == 130
    for run in others:
        again = f"`prune-tui resume {run.run_id} --db other.duckdb`"
        assert f"Not begun: {run.plan.model}; {again} starts its run." in errors
        assert run.state() == RunState.QUEUED
    assert [run["state"] for run in json.loads(out)["runs"]] == ["stopped", "queued", "queued"]


def test_a_wrong_model_is_found_before_the_work_on_the_first(fake):
    done = fake("run", "org/a", "org/wrong", "--levels", "0,40", "--tasks", "piqa")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "None of the 2 runs was begun, because of org/wrong: There is no model org/wrong" in done.stderr
    assert fake.runs == []


def test_a_wrong_task_is_found_before_the_work_on_the_first(fake):
    done = fake("run", "org/a", "org/b", "--levels", "0,40", "--tasks", "boolq,piqua")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "None of the 2 runs was begun: There is no task or group 'piqua': did you mean piqa?" in done.stderr
    assert fake.runs == []


@pytest.mark.parametrize(
    ("problem", "code"),
    [(UserError("The disk of results.duckdb is full: free some space."), 2), (DatabaseBusyError("It is held."), 0)],
)
def test_results_that_found_no_room_are_something_to_mend(tmp_path, monkeypatch, capsys, problem, code):
    database = tmp_path / "results.duckdb"
    plan = RunPlan(name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))
    run = create(plan, database)
    journal = Journal(run.journal_path)
    journal.append(Attempt(attempt=1, pid=1, host="h", provenance={}))
    journal.append(Finished(failed=0))
    journal.close()

    def refuse(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr("warehouse.merging.merge.merge_run", refuse)
    assert session.work([run], database, quiet=True, as_json=False) == code
    again = f"until `prune-tui merge --db {database}` can bring them over: {problem}"
    assert again in capsys.readouterr().err


HOLD = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.mark.slow
def test_results_wait_while_another_process_holds_the_database(fake):
    fake("run", "org/tiny", "--levels", "0", "--tasks", "arc")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, "results.duckdb"],
        cwd=fake.cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        done = fake(*RUN, "fine")
        assert done.returncode == 0
        assert f"PID {holder.pid}" in done.stderr
        assert "prune-tui merge" in done.stderr
        busy = fake("merge")
        assert busy.returncode == 2
        assert f"PID {holder.pid}" in busy.stderr
        listed = fake("runs")
        assert (listed.returncode, "4/4" in listed.stdout) == (0, True)
        assert listed.stderr.startswith("Imports are not listed: results.duckdb is held open")
        shown = fake("show", "fine")
        assert (shown.returncode, "finished, 4 of 4 evaluations" in shown.stdout) == (0, True)
        assert shown.stderr.startswith("Its scores are not shown: results.duckdb is held open")
    finally:
        holder.communicate("")
    merged = fake("merge")
    assert merged.returncode == 0
    assert [cell for cell in cells(fake) if cell[1] != "arc"] == EVERY_CELL
    assert fake("merge").stdout == "Nothing to merge.\n"
    again = fake("merge", "--rebuild")
    assert again.returncode == 0
    assert re.fullmatch(r"Nothing to merge\.\n\d+ changes compared document by document\.\n", again.stdout)


@pytest.mark.slow
def test_quiet_says_what_went_wrong_and_the_result(fake):
    done = fake(*RUN, "fine", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert "org/tiny, pruned with MAW" in done.stdout
    failed = fake(*RUN, "fail", "--quiet")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[0].startswith("2 of 4 evaluations failed")
    assert "done in" not in failed.stderr
