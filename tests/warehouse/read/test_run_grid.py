"""A run's grid, as far as its events have come."""

from __future__ import annotations

import pytest

from warehouse.read.headlines import Headlines
from warehouse.read.run_grid import Line, LiveGrid, run_grid
from warehouse.records.events import Attempt, CellProgress, CellStarted, Data, Event
from warehouse.records.facts import CellFacts, FailureFacts, MetricFacts, TaskFacts
from warehouse.records.run_state import RunHistory

HEADLINES = Headlines({}, {"acc": 1})
GROUP, LAW, ART = Line("mmlu", ("law", "art")), Line("law", depth=1), Line("art", depth=1)


def task(name: str, part_of: str | None = "mmlu") -> TaskFacts:
    return TaskFacts(
        task=name, part_of=part_of, version=None, output_type=None, num_fewshot=0, n_docs=4, n_requests=8,
        dataset=None, dataset_fingerprint=None, requests_hash=None,
    )  # fmt: skip


def cell(level: str, name: str, value: float, *, is_group: bool = False) -> CellFacts:
    metric = MetricFacts(metric="acc", filter="none", value=value, stderr=0.1, n=4, higher_is_better=True)
    return CellFacts(
        level=level, task=name, part_of=None if is_group else "mmlu", is_group=is_group, version=None, num_fewshot=0,
        seconds=None if is_group else 2.0, metrics=[metric],
    )  # fmt: skip


def grid(*data: Data, running: bool = True) -> LiveGrid:
    history = RunHistory(("0", "40"))
    start = (Attempt(attempt=1, pid=7, host="h", provenance={}), task("law"), task("art"))
    for seq, one in enumerate((*start, *data)):
        history.take(Event(seq, 1000.0 + seq, one))
    return run_grid(history, headlines=HEADLINES, running=running)


def test_groups_stand_above_their_tasks() -> None:
    assert grid().rows == (GROUP, LAW, ART)
    assert grid().columns == ("0", "40")
    assert {cell.state for cell in grid().cells.values()} == {"pending"}


def test_before_the_tasks_are_built_the_planned_ones_stand_there() -> None:
    assert run_grid(RunHistory(("0",)), planned=["piqa", "arc"]).rows == (Line("piqa"), Line("arc"))


def test_a_running_cell_tells_its_share_and_its_group_the_share_of_all() -> None:
    at_work = [
        cell("0", "law", 0.5),
        CellStarted(level="0", task="art"),
        CellProgress(level="0", task="art", done=4, total=8, tokens=9),
    ]
    found = grid(*at_work)
    assert (found.cells[ART, "0"].state, found.cells[ART, "0"].share) == ("running", 0.5)
    group = found.cells[GROUP, "0"]
    assert (group.state, group.share, group.done, group.total) == ("running", 0.75, 1, 2)
    stopped = grid(*at_work, running=False)
    assert (stopped.cells[ART, "0"].state, stopped.cells[GROUP, "0"].state) == ("pending", "partial")


def test_a_task_that_failed_fails_its_group() -> None:
    found = grid(cell("0", "law", 0.5), FailureFacts(level="0", task="art", error="no data", detail=""))
    group = found.cells[GROUP, "0"]
    assert (group.state, group.done, group.failed, group.error) == ("failed", 1, 1, "no data")


def test_a_score_is_compared_with_the_unpruned_levels() -> None:
    scored = [cell(level, name, value) for level, value in (("0", 0.8), ("40", 0.6)) for name in ("law", "art")]
    groups = [cell("0", "mmlu", 0.8, is_group=True), cell("40", "mmlu", 0.6, is_group=True)]
    found = grid(*scored, *groups)
    pruned = found.cells[GROUP, "40"]
    assert (pruned.state, pruned.metric, pruned.value, pruned.baseline, pruned.seconds) == (
        "done",
        "acc",
        0.6,
        0.8,
        4.0,
    )
    assert (pruned.delta_pct, pruned.improved) == (pytest.approx(-25.0), False)
    assert found.cells[GROUP, "0"].delta is None
