"""A run's tasks in the making: the same requests as one after another, and an end to it whichever way."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawing_tasks import DATA, TASK
from lm_eval.api.task import Task
from lm_eval.tasks import TaskManager

from engine.demo.paths import TASKS_DIR
from engine.errors import UserError
from engine.evaluation import task_loading
from engine.evaluation.encoding import Progress
from engine.evaluation.prompts import Prompts
from engine.evaluation.task_loading import LoadedTasks, load_tasks
from engine.evaluation.tasks import BuiltTask, build_task, build_tasks
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.rundir import RunDir, runs_root
from engine.worker.building import Building
from engine.worker.draws import share_out_draws
from engine.worker.earlier import EarlierPrompts
from engine.worker.recorder import Recorder
from engine.worker.stopping import StopFlag, StopRequested
from warehouse.records.events import Stage, StageProgress, TasksFound, of_kind
from warehouse.records.facts import TaskFacts
from warehouse.records.level import parse_levels
from warehouse.records.run_state import RunHistory

SEEDS = (3, 4, 5, 6)


class Asked:
    """Stands for a model that tokenises whatever it is asked; `reached` is told of each task."""

    def __init__(self, reached: Callable[[str], None] = lambda name: None) -> None:
        self._reached = reached

    def kept_tokens(self, requests_hash: str) -> None: ...

    def encode(self, instances: Any, progress: Any, kept: Any = None) -> None:
        self._reached(instances[0].task_name)
        progress(len(instances), len(instances))

    def tokens_of(self, instance: Any) -> tuple[list[int]]:
        return ([len(instance.args[0])],)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunPlan:
    """Three tasks that draw, and one of the demo's in between."""
    folder = tmp_path / "tasks"
    monkeypatch.setattr(
        task_loading,
        "_manager",
        lambda names, folders: TaskManager(include_path=[TASKS_DIR, folder], include_defaults=False),
    )
    folder.mkdir()
    (folder / "data.py").write_text(DATA)
    for name in ("first", "second", "third"):
        (folder / f"{name}.yaml").write_text(TASK.replace("NAME", name))
    share_out_draws()
    return RunPlan(
        name="p", model="m", levels=tuple(parse_levels("0")), seeds=SEEDS, limit=6, trust_task_code=True,
        tasks=tuple(map(TaskSpec, ("first", "demo_sums", "second", "third"))), include_paths=(str(folder),),
    )  # fmt: skip


class Making:
    """A run's tasks in the making, its stop flag, and its journal."""

    def __init__(self, folder: Path, plan: RunPlan, earlier: RunHistory | None = None, load: Any = None) -> None:
        self.stop = StopFlag()
        self.run = RunDir.create(runs_root(folder / "r.duckdb"), plan, folder / "r.duckdb")
        self.recorder = Recorder(self.run)
        known = EarlierPrompts.of(earlier or RunHistory())

        def build(task: Task, part_of: str | None, prompts: Prompts, progress: Progress) -> BuiltTask:
            return build_task(task, part_of, plan, prompts, progress)

        self.building = Building(plan, self.recorder, self.stop, load or (lambda: load_tasks(plan)), known, build)

    def facts(self) -> dict[str, TaskFacts]:
        return {facts.task: facts for facts in of_kind(self.run.events(), TaskFacts)}


@pytest.fixture
def making(tmp_path: Path) -> Iterator[Callable[..., Making]]:
    made: list[Making] = []

    def make(*args: Any, **kwargs: Any) -> Making:
        made.append(Making(tmp_path, *args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.recorder.close()


def in_order(plan: RunPlan) -> dict[str, TaskFacts]:
    """What is built with nothing beside it."""
    random.seed(SEEDS[0])
    np.random.seed(SEEDS[1])
    lm: Any = Asked()
    found = load_tasks(plan)
    return {task.name: task.facts for task in build_tasks(found, plan, lm, lambda: None).tasks}


def test_whatever_is_drawn_beside_it_the_requests_are_those_of_one_after_another(
    plan: RunPlan, making: Callable[..., Making]
) -> None:
    expected = in_order(plan)
    made, done, lm = making(plan), threading.Event(), Asked()

    def judge_and_compile() -> None:
        while not done.wait(1e-4):
            random.seed(1)
            np.random.seed(1)
            random.setstate(random.Random(7).getstate())

    with made.building as building, ThreadPoolExecutor(1) as beside:
        beside.submit(judge_and_compile)
        try:
            building.begin(lm)  # pyright: ignore[reportArgumentType]
            supply = building.supply()
            assert list(supply.names) == ["first", "demo_sums", "second", "third"]
            for name in supply.names:
                assert supply.get(name) is not None
        finally:
            done.set()
    assert made.facts() == expected
    assert len({facts.requests_hash for facts in expected.values()}) == 4


def test_a_task_is_handed_out_while_the_next_one_is_built(plan: RunPlan, making: Callable[..., Making]) -> None:
    first_is_had, waited = threading.Event(), []

    def reached(name: str) -> None:
        if name != "first":
            waited.append(first_is_had.wait(60))

    made, lm = making(plan), Asked(reached)
    with made.building as building:
        building.begin(lm)  # pyright: ignore[reportArgumentType]
        supply = building.supply()
        assert supply.get("first") is not None
        assert not supply.is_whole
        first_is_had.set()
        assert supply.get("third") is not None
        assert supply.is_whole
    assert waited == [True] * 3
    events = made.run.events()
    (found,) = of_kind(events, TasksFound)
    assert [(task.task, task.documents) for task in found.tasks] == [
        ("first", 6), ("demo_sums", 6), ("second", 6), ("third", 6),
    ]  # fmt: skip
    assert [stage.stage for stage in of_kind(events, Stage)] == ["load tasks", "build requests"]
    begun = [(one.stage, one.total, one.unit) for one in of_kind(events, StageProgress) if not one.done]
    assert begun == [("load tasks", None, ""), ("build requests", 24, "documents")]


def test_a_task_that_cannot_be_built_ends_the_run_whatever_was_handed_out_before(
    plan: RunPlan, making: Callable[..., Making]
) -> None:
    breaks_at_build(plan, "second")
    made, lm = making(plan), Asked()
    with made.building as building:
        building.begin(lm)  # pyright: ignore[reportArgumentType]
        with pytest.raises(UserError, match="Task 'second' cannot be built"):
            building.supply().get("third")
        with pytest.raises(UserError, match="Task 'second' cannot be built"):
            building.supply().get("first")
    assert list(made.facts()) == ["first", "demo_sums"]


def test_where_the_plan_says_so_the_others_are_handed_out_without_it(
    plan: RunPlan, making: Callable[..., Making]
) -> None:
    breaks_at_build(plan, "first")
    made, lm = making(replace(plan, skip_broken_tasks=True)), Asked()
    with made.building as building:
        building.begin(lm)  # pyright: ignore[reportArgumentType]
        supply = building.supply()
        assert supply.get("first") is None
        assert "Task 'first' cannot be built" in supply.broken["first"]
        assert supply.get("third") is not None


def test_without_a_task_that_can_be_built_nothing_is_left_out_but_the_run_refused(
    plan: RunPlan, making: Callable[..., Making]
) -> None:
    plan = replace(plan, skip_broken_tasks=True, tasks=(TaskSpec("first"), TaskSpec("second")))
    breaks_at_build(plan, "first")
    breaks_at_build(plan, "second")
    made, lm = making(plan), Asked()
    with made.building as building:
        building.begin(lm)  # pyright: ignore[reportArgumentType]
        with pytest.raises(UserError, match=r"None of the tasks can be built\. Task 'first'"):
            building.supply().get("first")


def test_prompts_that_changed_are_refused_even_where_broken_tasks_are_left_out(
    plan: RunPlan, making: Callable[..., Making]
) -> None:
    facts = in_order(plan)
    earlier = RunHistory(tasks=facts | {"second": replace(facts["second"], requests_hash="other")})
    made, lm = making(replace(plan, skip_broken_tasks=True), earlier), Asked()
    with made.building as building:
        building.begin(lm)  # pyright: ignore[reportArgumentType]
        with pytest.raises(UserError, match="The prompts of task 'second' have changed"):
            building.supply().get("third")
    assert not made.facts()  # the others are those that are recorded


def test_what_cannot_be_loaded_is_known_before_anything_is_built(plan: RunPlan, making: Callable[..., Making]) -> None:
    made = making(replace(plan, tasks=(TaskSpec("fourth"),)))
    with made.building as building, pytest.raises(UserError, match="There is no task or group 'fourth'"):
        building.supply()
    with pytest.raises(UserError):
        made.building.check()


def test_a_stop_is_noticed_while_a_task_is_waited_for_and_the_building_ends(
    plan: RunPlan, making: Callable[..., Making]
) -> None:
    goes_on = threading.Event()
    made = making(plan)

    def reached(name: str) -> None:
        made.stop.reason = "SIGINT"
        goes_on.wait(60)

    lm: Any = Asked(reached)
    with made.building as building:
        building.begin(lm)
        try:
            with pytest.raises(StopRequested):
                building.supply().get("third")
        finally:
            goes_on.set()
    assert not made.facts()
    assert not of_kind(made.run.events(), Stage)[1:]


def test_a_stop_is_noticed_while_tasks_are_looked_for_and_none_is_built(
    plan: RunPlan, making: Callable[..., Making]
) -> None:
    goes_on = threading.Event()

    def load() -> LoadedTasks:
        made.stop.reason = "SIGTERM"
        goes_on.wait(60)
        return load_tasks(plan)

    lm: Any = Asked()
    made = making(plan, load=load)
    with made.building as building:
        building.begin(lm)
        try:
            with pytest.raises(StopRequested):
                building.supply()
        finally:
            goes_on.set()
    assert not made.facts()


def breaks_at_build(plan: RunPlan, name: str) -> None:
    """lm-eval asks for a first prompt when it loads a task."""
    folder = Path(plan.include_paths[0])
    data = folder / f"{name}_data.py"
    data.write_text(
        f"{DATA}\nasked_before = []\n\ndef asked_once(document):\n    if document['q'] in asked_before:\n"
        "        raise ValueError('asked again')\n    asked_before.append(document['q'])\n    return document['q']\n"
    )
    file = folder / f"{name}.yaml"
    file.write_text(file.read_text().replace("data.asked", f"{name}_data.asked_once"))
