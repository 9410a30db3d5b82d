import pytest

from engine.plan import RunPlan
from engine.progress import RunTracker
from engine.suites import TaskSpec
from warehouse.journal import Event
from warehouse.records.level import parse_levels

PLAN = RunPlan(name="p", model="m", levels=tuple(parse_levels("0,40")), tasks=(TaskSpec("long"), TaskSpec("group")))


class Story:
    """A journal told step by step, by a clock that is moved by hand."""

    def __init__(self) -> None:
        self.tracker = RunTracker(PLAN)
        self.t = 1000.0
        self._seq = 0

    def tell(self, kind: str, **data) -> None:
        self.tracker.feed(Event(self._seq, self.t, kind, data))
        self._seq += 1

    def built(self, **tasks: int) -> None:
        for task, requests in tasks.items():
            self.tell("task", task=task, n_requests=requests, part_of=None)

    def cell(self, level: str, task: str, seconds: float, is_group: bool = False) -> None:
        if not is_group:
            self.tell("cell_started", level=level, task=task)
            self.t += seconds
        self.tell("cell", level=level, task=task, seconds=seconds, is_group=is_group, metrics=[])

    @property
    def progress(self):
        return self.tracker.progress()


@pytest.fixture
def story() -> Story:
    return Story()


def test_nothing_is_known_before_the_tasks_are_built(story: Story):
    story.tell("attempt", attempt=1)
    assert story.progress.total is None
    assert story.progress.seconds_left is None


def test_cells_are_levels_times_tasks_and_group_aggregates_do_not_count(story: Story):
    story.built(long=100, part_a=10, part_b=10)
    story.cell("0", "long", 5)
    story.cell("0", "part_a", 1)
    story.cell("0", "part_b", 1)
    story.cell("0", "group", 0, is_group=True)
    story.tell("cell_started", level="40", task="long")
    story.tell("cell_failed", level="40", task="long", error="e", detail="")
    assert (story.progress.done, story.progress.failed, story.progress.total) == (3, 1, 6)


def test_a_failed_cell_that_succeeds_later_is_done(story: Story):
    story.built(long=100)
    story.tell("cell_failed", level="0", task="long", error="e", detail="")
    assert story.tracker.errors == {("0", "long"): "e"}
    story.tell("attempt", attempt=2)
    assert (story.progress.done, story.progress.failed) == (0, 0)
    story.cell("0", "long", 5)
    assert (story.progress.done, story.progress.failed) == (1, 0)
    assert story.tracker.errors == {}


def test_the_current_cell_has_rates(story: Story):
    story.built(long=100)
    story.tell("cell_started", level="0", task="long")
    story.t += 4
    story.tell("progress", level="0", task="long", done=20, total=100, tokens=8000)
    current = story.progress.current
    assert current is not None
    assert (current.level, current.task, current.done, current.total) == ("0", "long", 20, 100)
    assert current.requests_per_second == pytest.approx(5)
    assert current.tokens_per_second == pytest.approx(2000)


def test_the_rest_of_a_first_cell_goes_at_its_own_rate(story: Story):
    story.built(long=100)
    story.tell("cell_started", level="0", task="long")
    story.t += 4
    story.tell("progress", level="0", task="long", done=20, total=100, tokens=0)
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


@pytest.mark.parametrize("end", ["stopped", "crashed", "attempt"])
def test_no_cell_is_current_once_the_worker_has_ended(story: Story, end: str):
    story.built(long=100)
    story.tell("cell_started", level="0", task="long")
    story.tell(end, attempt=2, reason="SIGINT", error="", detail="")
    assert story.progress.current is None
