"""How a run stands, folded from its events."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.records.events import (
    Attempt,
    CellStarted,
    Crashed,
    Data,
    Event,
    Finished,
    Log,
    Stage,
    StageProgress,
    Stopped,
    TasksFound,
)
from warehouse.records.facts import CellFacts, FailureFacts, FoundTask
from warehouse.records.run_state import RunHistory, RunState
from warehouse.store import journal

OLD_RUN = Path(__file__).parents[2] / "data" / "old_run"
ATTEMPT = Attempt(attempt=1, pid=7, host="h", provenance={})


def told(*data: Data, every: float = 10.0) -> RunHistory:
    """The history of events `every` so many seconds."""
    history = RunHistory(("0", "40"))
    for seq, one in enumerate(data):
        history.take(Event(seq, 1000.0 + every * seq, one))
    return history


def test_time_between_attempts_is_not_worked() -> None:
    history = told(ATTEMPT, Stopped(reason="SIGINT"), Log(message="night"), ATTEMPT, Log(message="at work"))
    assert history.elapsed() == pytest.approx(20.0)
    assert history.elapsed(now=1045.0) == pytest.approx(25.0)


def test_a_start_takes_until_its_first_cell_however_its_stages_overlap() -> None:
    libraries = Stage(stage="import libraries", level=None, seconds=5.0)
    others = [Stage(stage=name, level=None, seconds=9.0) for name in ("load tasks", "load model")]
    cell = CellStarted(level="0", task="t")
    assert told(libraries, *others).startup_seconds is None
    assert told(libraries, *others, cell, cell).startup_seconds == pytest.approx(35.0)
    assert told(libraries, *others, cell, libraries).startup_seconds is None
    assert told(libraries, cell, libraries, *others, cell).startup_seconds == pytest.approx(35.0)
    assert told(*others, cell).startup_seconds is None  # its beginning was not recorded


def test_stages_side_by_side_are_at_work_from_their_first_word_to_their_last() -> None:
    def at(stage: str, done: int, total: int | None = 100) -> StageProgress:
        return StageProgress(stage=stage, level=None, done=done, total=total, unit="bytes")

    begun = [at("load model", 0), at("hash weights", 0), at("hash weights", 25)]
    history = told(*begun)
    assert list(history.at_work) == [("load model", None), ("hash weights", None)]
    hashing = history.at_work["hash weights", None]
    assert (hashing.done, hashing.seconds, hashing.per_second, hashing.seconds_left) == (25, 10.0, 2.5, 30.0)
    assert history.at_work["load model", None].seconds_left is None
    ended = told(*begun, Stage(stage="load model", level=None, seconds=1.0))
    assert list(ended.at_work) == [("hash weights", None)]
    assert not told(*begun, Stopped(reason="SIGINT")).at_work
    killed = told(*begun, at("import libraries", 0, None))
    assert list(killed.at_work) == [("import libraries", None)]


def test_tasks_are_known_before_they_are_built() -> None:
    found = [FoundTask(task="a", part_of="g", documents=5), FoundTask(task="b", part_of=None, documents=7)]
    history = told(TasksFound(tasks=found), FailureFacts(level="0", task="c", error="e", detail=""))
    assert history.all_tasks == ["a", "b", "c"]
    assert history.parents == {"a": "g"}


def test_a_new_attempt_has_not_ended_whatever_the_last_one_came_to() -> None:
    ended = told(ATTEMPT, Crashed(error="E", detail=""))
    assert (ended.state, ended.end, ended.turns) == (RunState.CRASHED, Crashed(error="E", detail=""), 2)
    again = told(ATTEMPT, Crashed(error="E", detail=""), ATTEMPT)
    assert (again.state, again.end, again.turns) == (RunState.INTERRUPTED, None, 3)


def test_a_cell_that_failed_and_was_made_good_stays_good() -> None:
    cell = CellFacts(level="0", task="t", part_of=None, is_group=False, version=None, num_fewshot=0, seconds=1.0)
    failure = FailureFacts(level="0", task="t", error="e", detail="")
    assert told(ATTEMPT, failure).settled == {("0", "t"): "failed"}
    assert told(ATTEMPT, failure, cell).settled == {("0", "t"): "done"}
    assert told(ATTEMPT, failure, cell, Finished(failed=0), ATTEMPT).settled == {("0", "t"): "done"}


def test_a_cell_that_failed_is_no_longer_at_work_and_its_requests_may_not_be_known() -> None:
    begun = CellStarted(level="0", task="t")
    at_work = told(ATTEMPT, begun)
    assert at_work.current is not None
    assert (at_work.current.task, at_work.current.total, at_work.requests("t")) == ("t", 0, 0)
    assert told(ATTEMPT, begun, FailureFacts(level="0", task="t", error="e", detail="")).current is None


def test_an_old_journal_folds_to_the_run_it_was() -> None:
    history = RunHistory(("0", "40"))
    for event in journal.read(OLD_RUN / "journal.jsonl")[0]:
        history.take(event)
    assert history.state is RunState.INTERRUPTED
    assert list(history.variants) == ["0", "40"]
    assert history.parents["demo_facts_towns"] == "demo_facts"
    assert len(history.settled) == 5
    assert history.plan is not None
    assert history.plan.conditions.seeds == "3,1237,1237,1237"


def test_the_stage_of_a_start_is_known_until_a_cell_is_begun() -> None:
    load, prune = Stage(stage="load model", level=None, seconds=5.0), Stage(stage="prune", level="40", seconds=1.0)
    assert told().starting is None
    assert told(ATTEMPT).starting == ""
    assert told(ATTEMPT, load, prune).starting == "load model"
    assert told(ATTEMPT, load, CellStarted(level="0", task="t")).starting is None
    assert told(ATTEMPT, load, Stopped(reason="SIGINT")).starting is None


def test_a_run_that_did_not_end_well_says_why() -> None:
    assert told(ATTEMPT, Crashed(error="E", detail="")).note == "E"
    assert told(ATTEMPT, Finished(failed=0)).note == ""
