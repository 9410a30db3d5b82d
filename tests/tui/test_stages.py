"""What is at work, in words."""

from __future__ import annotations

from tui.stages import stage_lines, stage_text
from warehouse.records.events import Attempt, CellStarted, Data, Event, FoundTask, Stage, StageProgress, TasksFound
from warehouse.records.run_state import RunHistory


def told(*data: Data) -> RunHistory:
    """The history of events four seconds apart."""
    history = RunHistory(("0",))
    for seq, one in enumerate(data):
        history.take(Event(seq, 1000.0 + 4 * seq, one))
    return history


def at(stage: str, done: int, total: int | None, unit: str = "documents") -> StageProgress:
    return StageProgress(stage=stage, level=None, done=done, total=total, unit=unit)


def test_a_bar_goes_on_by_the_clock_between_two_words_of_the_worker() -> None:
    history = told(at("build requests", 0, 100), at("build requests", 25, 100))
    assert stage_lines(history)[0].endswith("6.2 documents/s · 12s left")
    assert stage_lines(history, now=1007.0)[0].endswith("9s left")
    assert stage_lines(history, now=1100.0)[0].endswith("0s left")


def test_of_tasks_those_are_counted_whose_documents_are_all_done() -> None:
    found = TasksFound(tasks=[FoundTask(task=name, part_of=None, documents=40) for name in "abc"])
    begun = at("build requests", 0, 120)
    for done, tasks in ((0, 0), (39, 0), (40, 1), (119, 2), (120, 3)):
        assert f"{tasks}/3 tasks" in stage_lines(told(found, begun, at("build requests", done, 120)))[0]


def test_how_long_something_takes_is_said_where_nobody_knows_how_much_there_is_to_do() -> None:
    history = told(at("set up scoring", 0, None))
    assert stage_lines(history) == ["setting up scoring"]
    assert stage_lines(history, now=1007.0) == ["setting up scoring · 7s"]


def test_a_rate_is_not_told_from_the_first_instant() -> None:
    history = told(at("hash weights", 0, 10**9, "bytes"))
    history.take(Event(9, 1000.5, at("hash weights", 10**8, 10**9, "bytes")))
    assert stage_lines(history) == ["hashing the weights ━─────────── 10%"]


def test_the_list_of_runs_has_them_in_a_few_words_until_a_cell_is_evaluated() -> None:
    both = (at("load tasks", 0, None), at("hash weights", 0, 100), at("hash weights", 61, 100))
    assert stage_text(told(*both)) == "reading the tasks, hashing the weights 61%"
    assert stage_text(told(*both, CellStarted(level="0", task="t"))) == ""


def test_of_an_older_run_what_comes_next_is_told_by_what_ended_last() -> None:
    attempt = Attempt(attempt=1, pid=1, host="h", provenance={})
    assert stage_text(told(attempt, Stage(stage="hash weights", level=None, seconds=1.0))) == "writing the prompts"
    assert stage_lines(told(attempt)) == []
