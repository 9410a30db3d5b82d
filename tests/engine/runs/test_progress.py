"""How far a run has come and how long it will take, told step by step."""

from __future__ import annotations

import pytest

from engine.runs.progress import Progress, progress
from warehouse.records.events import (
    Attempt,
    CellProgress,
    CellStarted,
    Crashed,
    Data,
    Event,
    StageProgress,
    Stopped,
    TasksFound,
)
from warehouse.records.facts import CellFacts, FailureFacts, FoundTask, TaskFacts
from warehouse.records.run_state import RunHistory

ATTEMPT = Attempt(attempt=2, pid=1, host="h", provenance=None)


class Story:
    """A journal told by a clock that is moved by hand."""

    def __init__(self) -> None:
        self.history = RunHistory(("0", "40"))
        self.t = 1000.0
        self._seq = 0

    def tell(self, data: Data) -> None:
        self.history.take(Event(self._seq, self.t, data))
        self._seq += 1

    def built(self, **tasks: int) -> None:
        for task, requests in tasks.items():
            self.tell(
                TaskFacts(
                    task=task, part_of=None, version="1", output_type="multiple_choice", num_fewshot=0, n_docs=1,
                    n_requests=requests, dataset="", dataset_fingerprint=None, requests_hash="",
                )
            )  # fmt: skip

    def begin(self, level: str, task: str) -> None:
        self.tell(CellStarted(level=level, task=task))

    def cell(self, level: str, task: str, seconds: float, is_group: bool = False) -> None:
        if not is_group:
            self.begin(level, task)
            self.t += seconds
        self.tell(
            CellFacts(
                level=level, task=task, part_of=None, is_group=is_group, version="1", num_fewshot=0, seconds=seconds
            )
        )

    def fail(self, level: str, task: str) -> None:
        self.tell(FailureFacts(level=level, task=task, error="e", detail=""))

    def found(self, **documents: int) -> None:
        self.tell(TasksFound(tasks=[FoundTask(task=task, part_of=None, documents=n) for task, n in documents.items()]))

    def building(self, done: int, total: int) -> None:
        self.tell(StageProgress(stage="build requests", level=None, done=done, total=total, unit="documents"))

    @property
    def progress(self) -> Progress:
        return progress(self.history)


@pytest.fixture
def story() -> Story:
    return Story()


def test_nothing_is_known_before_the_tasks_are_built(story: Story):
    story.tell(ATTEMPT)
    assert story.progress.total is None
    assert story.progress.seconds_left is None


def test_cells_are_levels_times_tasks_and_group_aggregates_do_not_count(story: Story):
    story.built(long=100, part_a=10, part_b=10)
    story.cell("0", "long", 5)
    story.cell("0", "part_a", 1)
    story.cell("0", "part_b", 1)
    story.cell("0", "group", 0, is_group=True)
    story.begin("40", "long")
    story.fail("40", "long")
    assert (story.progress.done, story.progress.failed, story.progress.total) == (3, 1, 6)


def test_a_task_that_could_not_be_built_counts_as_cells_that_failed(story: Story):
    story.built(long=100)
    story.fail("0", "broken")
    story.fail("40", "broken")
    story.cell("0", "long", 5)
    assert (story.progress.done, story.progress.failed, story.progress.total) == (1, 2, 4)


def test_a_failed_cell_that_succeeds_later_is_done(story: Story):
    story.built(long=100)
    story.fail("0", "long")
    assert {at: failure.error for at, failure in story.history.failures.items()} == {("0", "long"): "e"}
    story.tell(ATTEMPT)
    assert (story.progress.done, story.progress.failed) == (0, 0)
    story.cell("0", "long", 5)
    assert (story.progress.done, story.progress.failed) == (1, 0)
    story.tell(ATTEMPT)
    assert (story.progress.done, story.progress.failed) == (1, 0)


def test_the_current_cell_has_rates(story: Story):
    story.built(long=100)
    story.begin("0", "long")
    story.t += 4
    story.tell(CellProgress(level="0", task="long", done=20, total=100, tokens=8000))
    current = story.progress.current
    assert current is not None
    assert (current.level, current.task, current.done, current.total) == ("0", "long", 20, 100)
    assert current.requests_per_second == pytest.approx(5)
    assert current.tokens_per_second == pytest.approx(2000)


def test_the_rest_of_a_first_cell_goes_at_its_own_rate(story: Story):
    story.built(long=100)
    story.begin("0", "long")
    story.t += 4
    story.tell(CellProgress(level="0", task="long", done=20, total=100, tokens=0))
    # 80 requests here and 100 at the other level, five a second.
    assert story.progress.seconds_left == pytest.approx(36)


def test_a_task_takes_as_long_as_it_did_at_other_levels(story: Story):
    story.built(slow=10, quick=10)
    story.cell("0", "slow", 90)
    story.cell("0", "quick", 10)
    assert story.progress.seconds_left == pytest.approx(100)
    story.cell("40", "slow", 90)
    assert story.progress.seconds_left == pytest.approx(10)
    story.cell("40", "quick", 10)
    assert story.progress.seconds_left == 0


@pytest.mark.parametrize("end", [Stopped(reason="SIGINT"), Crashed(error="", detail=""), ATTEMPT])
def test_no_cell_is_current_once_the_worker_has_ended(story: Story, end: Data):
    story.built(long=100)
    story.begin("0", "long")
    story.tell(end)
    assert story.progress.current is None


def test_all_cells_are_known_as_soon_as_the_tasks_are_found(story: Story):
    story.found(quick=1, large=30)
    assert story.progress.total == 4
    story.built(quick=10)
    assert story.progress.total == 4
    story.cell("0", "quick", 1)
    # 10 requests a second; of the task that is not written yet, as many requests a document as of the other.
    assert story.progress.seconds_left == pytest.approx(1 + 30 + 30)


def test_what_cells_wait_for_is_counted_and_what_goes_on_beside_them_only_where_it_takes_longer(story: Story):
    story.building(0, 100)
    story.found(quick=1, large=1)
    story.built(quick=10)
    story.cell("0", "quick", 1)
    story.t += 9
    story.building(50, 100)  # at 10 seconds, so that 10 are left
    assert story.progress.seconds_left == pytest.approx(3 + 10)
    story.built(large=10)
    story.begin("0", "large")
    story.t += 0.5
    story.tell(CellProgress(level="0", task="large", done=5, total=10, tokens=0))
    assert story.progress.seconds_left == pytest.approx(10)
