"""A sweep from the command line: on pretended cards, stopped, waited for, resumed, deleted; without a model."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable

import duckdb
import pytest

from engine.runs.rundir import RunDir
from warehouse.records.events import Attempt, Log, of_kind
from warehouse.records.facts import CellFacts
from warehouse.records.run_state import RunState

MODELS = ("run", "org/a", "org/b", "org/c", "--levels", "0,40", "--tasks", "piqa", "--name")
TWO_CARDS = {"FAKE_CARDS": "2"}


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def runs(fake) -> list[RunDir]:
    return [RunDir(path) for path in fake.runs]


def sweep_of(fake) -> str:
    [sweep] = {run.plan.sweep for run in runs(fake)}
    assert sweep is not None
    return sweep


def states(fake) -> list[str]:
    return [str(run.state()) for run in runs(fake)]


def cells(run: RunDir) -> list[str]:
    return [cell.level for cell in of_kind(run.events(), CellFacts)]


def cards(run: RunDir) -> list[str]:
    return [(attempt.provenance or {})["card"] for attempt in of_kind(run.events(), Attempt)]


def start(fake, *words: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FAKE_CARDS", "2")
    return fake.start(*words)


def hangs(run: RunDir) -> bool:
    return "40" in str(run.history()[0].current)


def test_pieces_go_to_the_cards_and_end_in_the_database(fake):
    done = fake(*MODELS, "fine", "--gpus", "all", **TWO_CARDS)
    assert done.returncode == 0, done.stderr
    assert [cells(run) for run in runs(fake)] == [["0", "40"]] * 3
    assert {card for run in runs(fake) for card in cards(run)} == {"0", "1"}
    assert "gpu 0: run" in done.stderr
    assert "level 40 piqa: done in" in done.stderr
    with duckdb.connect(fake.cwd / "results.duckdb", read_only=True) as con:
        assert con.sql("select count(*) from cells").fetchall() == [(6,)]
    listed = fake("runs").stdout
    assert f"sweep {sweep_of(fake)} fine: 3 of 3 runs done, 6 of 6 evaluations" in listed


def test_one_run_for_two_cards_is_split_by_its_levels(fake):
    done = fake("run", "org/a", "--levels", "0,20,40", "--tasks", "piqa", "--gpus", "0,1", **TWO_CARDS)
    assert done.returncode == 0, done.stderr
    assert [cells(run) for run in runs(fake)] == [["0"], ["20", "40"]]
    assert sweep_of(fake)
    assert done.stdout.count(", pruned with MAW") == 1


def test_a_worker_that_is_killed_goes_on_on_the_other_card(fake):
    done = fake("run", "org/a", "--levels", "0,40", "--tasks", "piqa,boolq", "--name", "die", "--gpus", "0,1",
                "--method", "maw,l2", **TWO_CARDS)  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = runs(fake)
    assert sorted(cells(first)) == ["0", "0", "40", "40"]
    assert cells(second) == ["40", "40"]
    assert cards(first) == ["0", "1"]
    assert "was killed by SIGKILL" in done.stderr
    assert "1 of at most 3 times" in done.stderr


def test_a_piece_that_dies_again_and_again_has_failed(fake):
    done = fake("run", "org/a", "--levels", "0", "--tasks", "piqa", "--name", "die always", "--gpus", "0",
                **TWO_CARDS)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("of at most 3 times") == 3
    assert "takes the run up again" in done.stderr


@pytest.mark.slow
def test_ctrl_c_stops_all_and_resume_goes_on_with_all(fake, monkeypatch):
    process = start(fake, *MODELS, "hang", "--gpus", "all", monkeypatch=monkeypatch)
    wait_for(lambda: len(fake.runs) == 3 and sum(map(hangs, runs(fake))) == 2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 130, errors
    assert sorted(states(fake)) == ["queued", "stopped", "stopped"]
    sweep = sweep_of(fake)
    assert f"Not done: 1 of 3 runs; `prune-tui resume {sweep}` goes on" in errors
    assert fake("wait", sweep).returncode == 130
    _without_the_queued_one(fake)
    again = fake("resume", sweep, "--gpus", "1,0", "--json", **TWO_CARDS)
    assert again.returncode == 0, again.stderr
    assert [run["state"] for run in json.loads(again.stdout)["runs"]] == ["finished"] * 2
    assert [cells(run) for run in runs(fake)] == [["0", "40"]] * 2


@pytest.mark.slow
def test_stop_ends_all_of_a_sweep_and_who_carries_it_out(fake, monkeypatch):
    process = start(fake, *MODELS, "hang", "--gpus", "all", monkeypatch=monkeypatch)
    wait_for(lambda: len(fake.runs) == 3 and sum(map(hangs, runs(fake))) == 2)
    sweep = sweep_of(fake)
    busy = fake("resume", sweep, "--gpus", "all", **TWO_CARDS)
    assert busy.returncode == 2
    assert "is being carried out by process" in busy.stderr
    kept = fake("delete", sweep, "--yes")
    assert kept.returncode == 2
    waiting, watching, following = (
        fake.start(*words) for words in (("wait", sweep), ("runs", "--watch"), ("logs", sweep, "-f"))
    )
    assert fake("stop", sweep).returncode == 0
    process.communicate(timeout=90)
    waiting.communicate(timeout=90)
    assert (process.returncode, waiting.returncode) == (130, 130)
    listed, said = (one.communicate(timeout=90)[0] for one in (watching, following))
    assert (watching.returncode, following.returncode) == (0, 0)
    assert "0 of 3 runs done" in listed.splitlines()[-1]  # both go on until nobody is at work
    assert "going on" not in listed.splitlines()[-1]
    assert said.count("level 0 piqa: done") == 2
    assert said.count("stopped") == 2
    assert sorted(states(fake)) == ["queued", "stopped", "stopped"]
    assert fake("stop", sweep).returncode == 2


@pytest.mark.slow
def test_whoever_carries_a_sweep_out_may_be_killed(fake, monkeypatch):
    process = start(fake, *MODELS, "hang", "--gpus", "all", monkeypatch=monkeypatch)
    wait_for(lambda: len(fake.runs) == 3 and sum(map(hangs, runs(fake))) == 2)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    sweep = sweep_of(fake)
    assert sorted(states(fake)) == ["queued", "running", "running"]  # workers go on by themselves
    assert fake("stop", sweep).returncode == 0
    _without_the_queued_one(fake)
    assert fake("resume", sweep, "--gpus", "all", **TWO_CARDS).returncode == 0
    assert [cells(run) for run in runs(fake)] == [["0", "40"]] * 2


def _without_the_queued_one(fake) -> None:
    """It would hang in its first attempt, as the others did."""
    [queued] = [run.run_id for run in runs(fake) if run.state() == RunState.QUEUED]
    assert fake("delete", queued, "--yes").returncode == 0


@pytest.mark.slow
def test_a_run_waits_for_the_card_that_a_sweep_works_on_and_a_sweep_for_a_runs(fake, monkeypatch):
    monkeypatch.setenv("FAKE_LOCK", f"{fake.cwd.name}-{os.getpid()}")
    monkeypatch.setenv("FAKE_CARDS", "2")
    sweep = fake.start(*MODELS[:3], "--levels", "0,40", "--tasks", "piqa", "--name", "hang", "--gpus", "0")
    wait_for(lambda: len(fake.runs) == 2 and any(map(hangs, runs(fake))))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    plain = fake.start("run", "org/d", "--levels", "0,40", "--tasks", "piqa", "--name", "hang")
    wait_for(lambda: len(fake.runs) == 3 and says_that_it_waits(runs(fake)[2]))
    assert cells(runs(fake)[2]) == []  # two runs of the sweep may follow each other; this one has not begun
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert fake("stop", sweep_of_first(fake)).returncode == 0
    wait_for(lambda: hangs(runs(fake)[2]))
    sweep.communicate(timeout=90)
    # Now the run has it, and it is the sweep that waits.
    again = fake.start("resume", sweep_of_first(fake), "--gpus", "0")
    wait_for(lambda: says_that_it_waits(runs(fake)[0]))
    assert fake("stop", runs(fake)[2].run_id).returncode == 0
    plain.communicate(timeout=90)
    wait_for(lambda: cells(runs(fake)[0]) == ["0", "40"] and hangs(runs(fake)[1]))
    assert fake("stop", sweep_of_first(fake)).returncode == 0
    again.communicate(timeout=90)


def says_that_it_waits(run: RunDir) -> bool:
    return any("waits for its GPU" in event.message for event in of_kind(run.events(), Log))


def sweep_of_first(fake) -> str:
    sweep = runs(fake)[0].plan.sweep
    assert sweep is not None
    return sweep


@pytest.mark.slow
def test_pieces_are_written_down_and_done_one_by_one_as_an_array_does(fake):
    written = fake(*MODELS, "fine", "--no-start")
    sweep = written.stdout.strip()
    assert sweep == sweep_of(fake)
    assert states(fake) == ["queued"] * 3
    assert fake("wait", sweep).returncode == 1
    for piece in ("2", "1", "3"):
        assert fake("worker", sweep, "--piece", piece).returncode == 0
    assert fake("wait", sweep).returncode == 0
    assert fake("worker", "fine", "--piece", "1").returncode == 0  # nothing is missing
    assert [cells(run) for run in runs(fake)] == [["0", "40"]] * 3
    none = fake("worker", sweep, "--piece", "4")
    assert (none.returncode, none.stderr.count("\n")) == (2, 1)
    assert "has no piece 4: it has 1 to 3" in none.stderr
    assert "There is no sweep 'other'" in fake("worker", "other", "--piece", "1").stderr


@pytest.mark.slow
def test_what_runs_said_and_where_they_stand(fake):
    assert fake(*MODELS, "fine").returncode == 0
    sweep, run = sweep_of(fake), runs(fake)[0].run_id
    one = fake("logs", run).stdout
    assert "level 0 piqa: done in" in one
    assert "finished" in one
    assert fake("logs", sweep, "-f").stdout.count("fine: level 40 piqa: done") == 3
    told = json.loads(fake("runs", "--json").stdout)["sweeps"]
    assert [(found["sweep"], found["name"], found["pieces"]) for found in told] == [
        (sweep, "fine", {"done": 3, "total": 3})
    ]
    assert fake("runs", "--watch").stdout == fake("runs").stdout


@pytest.mark.slow
def test_a_sweep_is_deleted_whole_and_only_when_told_so(fake):
    assert fake(*MODELS, "fine").returncode == 0
    sweep = sweep_of(fake)
    asked = fake("delete", sweep)
    assert asked.returncode == 2
    assert "would delete 3 runs" in asked.stderr
    assert len(fake.runs) == 3
    assert fake("delete", sweep, "--yes").returncode == 0
    assert fake.runs == []
    with duckdb.connect(fake.cwd / "results.duckdb", read_only=True) as con:
        assert con.sql("select count(*) from cells").fetchall() == [(0,)]


def test_a_failed_run_ends_a_wait_with_its_code(fake):
    assert fake(*MODELS[:2], *MODELS[4:], "fail").returncode == 1
    done = fake("wait", "latest")
    assert done.returncode == 1
    assert "is finished with failures: `prune-tui resume" in done.stderr


@pytest.mark.slow
def test_a_sweep_where_one_run_is_meant_is_told_so(fake):
    assert fake(*MODELS, "fine").returncode == 0
    done = fake("replay", sweep_of(fake))
    assert done.returncode == 2
    assert "is a sweep of 3 runs: name one of them" in done.stderr
