"""A run as plain log lines: what takes long is told of now and then, what is quick is not."""

from __future__ import annotations

import io

from rich.console import Console

from tui.cli.lines import LineView
from warehouse.records.events import Data, Event, FoundTask, Stage, StageProgress, TasksFound
from warehouse.records.run_state import RunHistory


def lines(*told: tuple[float, Data]) -> list[str]:
    """What is said of events at these seconds, without the title and the times."""
    screen, history = io.StringIO(), RunHistory(("0",))
    view = LineView(Console(file=screen, width=200), "a run")
    for seq, (t, data) in enumerate(told):
        event = Event(seq, 1000.0 + t, data)
        history.take(event)
        view.event(event, history)
    return [line.partition(" ")[2] for line in screen.getvalue().splitlines()[1:]]


def at(done: int, stage: str = "build requests") -> StageProgress:
    return StageProgress(stage=stage, level=None, done=done, total=100, unit="documents")


def ended(seconds: float) -> Stage:
    return Stage(stage="build requests", level=None, seconds=seconds)


FOUND = TasksFound(tasks=[FoundTask(task=name, part_of=None, documents=50) for name in "ab"])


def test_a_stage_that_takes_long_is_told_of_every_ten_seconds_and_at_its_end() -> None:
    seconds = [(float(second), at(2 * second)) for second in range(26)]
    assert lines((0.0, FOUND), *seconds, (30.0, ended(30.0))) == [
        "writing the prompts ━━╸───────── 20% · 0/2 tasks · 2.0 documents/s · 40s left",
        "writing the prompts ━━━━━─────── 40% · 0/2 tasks · 2.0 documents/s · 30s left",
        "writing the prompts: done in 30s",
    ]


def test_a_quick_one_is_not() -> None:
    assert lines((0.0, at(0)), (1.0, at(50)), (2.0, ended(2.0))) == []


def test_each_has_its_own_time() -> None:
    told = lines((0.0, at(0)), (9.0, at(0, "hash weights")), (12.0, at(60)), (13.0, at(50, "hash weights")))
    assert [line.split(" ━")[0] for line in told] == ["writing the prompts"]
