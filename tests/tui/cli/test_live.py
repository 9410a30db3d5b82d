"""The live display of a run, as it stands after some events."""

from __future__ import annotations

import io

from rich.console import Console

from tui.cli.live import LiveView
from warehouse.records.events import Attempt, CellProgress, CellStarted, Data, Event, Stage, StageProgress, TasksFound
from warehouse.records.facts import CellFacts, FailureFacts, FoundTask, TaskFacts
from warehouse.records.run_state import RunHistory


def task(name: str, part_of: str | None) -> TaskFacts:
    return TaskFacts(
        task=name, part_of=part_of, version=None, output_type=None, num_fewshot=0, n_docs=4, n_requests=8,
        dataset=None, dataset_fingerprint=None, requests_hash=None,
    )  # fmt: skip


def done(level: str, name: str) -> CellFacts:
    return CellFacts(
        level=level, task=name, part_of=None, is_group=False, version=None, num_fewshot=0, seconds=2.0, metrics=[]
    )


def drawn(*data: Data) -> list[str]:
    history = RunHistory(("0", "40"))
    for seq, one in enumerate(data):
        history.take(Event(seq, 1000.0 + seq, one))
    screen = io.StringIO()
    console = Console(file=screen, width=80, height=24)
    console.print(LiveView(console, history)._draw())
    return [" ".join(line.split()) for line in screen.getvalue().splitlines() if line.strip()]


ATTEMPT = Attempt(attempt=1, pid=7, host="h", provenance={})
TASKS = (task("law", "mmlu"), task("art", "mmlu"), task("piqa", None))


def test_groups_stand_for_their_tasks_and_each_cell_says_how_far_it_is() -> None:
    lines = drawn(
        ATTEMPT,
        *TASKS,
        done("0", "law"),
        done("0", "art"),
        FailureFacts(level="0", task="piqa", error="no data", detail=""),
        done("40", "law"),
        CellStarted(level="40", task="piqa"),
        CellProgress(level="40", task="piqa", done=2, total=8, tokens=90),
    )
    assert lines[:3] == ["0% 40%", "mmlu ✓ 1/2", "piqa ✗ 25%"]
    assert lines[3].startswith("4/6 evaluations")
    assert lines[-1].startswith("level 40 piqa · 2/8 requests · 2.0 requests/s")


def test_before_the_first_cell_the_stage_at_work_is_said() -> None:
    assert drawn()[-1] == "starting the worker"
    assert drawn(ATTEMPT)[-1] == "reading the tasks"
    assert drawn(ATTEMPT, Stage(stage="load tasks", level=None, seconds=1.0))[-1] == "loading the model"
    assert drawn(ATTEMPT, *TASKS, done("0", "law"), CellStarted(level="0", task="art"), done("0", "art"))[-1] == (
        "between two evaluations"
    )


def test_what_is_at_work_beside_a_cell_has_a_line_of_its_own_with_a_bar() -> None:
    found = TasksFound(tasks=[FoundTask(task=name, part_of=None, documents=100) for name in ("a", "b", "c", "d")])
    lines = drawn(
        ATTEMPT,
        found,
        StageProgress(stage="build requests", level=None, done=0, total=400, unit="documents"),
        task("a", None),
        CellStarted(level="0", task="a"),
        StageProgress(stage="build requests", level=None, done=150, total=400, unit="documents"),
    )
    assert lines[-3].startswith("0/8 evaluations")
    assert lines[-2].startswith("level 0 a")
    assert lines[-1].startswith("writing the prompts ━━━━╸─────── 38% · 1/4 tasks · 50.0 documents/s")


def test_what_is_at_work_before_the_first_cell_stands_line_by_line() -> None:
    lines = drawn(
        StageProgress(stage="load tasks", level=None, done=0, total=None, unit=""),
        StageProgress(stage="hash weights", level=None, done=0, total=4_000_000_000, unit="bytes"),
        StageProgress(stage="load model", level=None, done=0, total=4_000_000_000, unit="bytes"),
        StageProgress(stage="hash weights", level=None, done=3_000_000_000, total=4_000_000_000, unit="bytes"),
    )
    assert [line.split(" · ")[0] for line in lines[-3:]] == [
        "reading the tasks", "hashing the weights ━━━━━━━━━─── 75%", "loading the weights ──────────── 0%",
    ]  # fmt: skip
    assert "1.5 GB/s" in lines[-2]
