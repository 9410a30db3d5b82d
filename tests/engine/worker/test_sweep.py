"""Tasks are laid out while others are asked; each fails by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from threading import Event, get_ident
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.demo.paths import MODEL_DIR
from engine.errors import UserError
from engine.evaluation import asking, scoring
from engine.evaluation.lm import PrunedLM
from engine.evaluation.task_loading import load_tasks
from engine.evaluation.tasks import BuiltTask, build_tasks
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.pruning import loading
from engine.pruning.ladder import Ladder
from engine.runs.rundir import RunDir, runs_root
from engine.worker import judging, sweep
from engine.worker.judging import Judging
from engine.worker.recorder import Recorder
from engine.worker.stopping import StopFlag, StopRequested
from engine.worker.supply import Supply
from engine.worker.sweep import Sweep
from warehouse.records.events import CellStarted, Log, of_kind
from warehouse.records.facts import CellFacts, FailureFacts
from warehouse.records.level import parse_levels

TASKS = ("demo_story", "demo_lambada", "demo_grammar")
LEVELS = "0,40"


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    plan = RunPlan(
        name="test",
        model="demo",
        levels=tuple(parse_levels(LEVELS)),
        tasks=tuple(TaskSpec(name) for name in TASKS),
        limit=4,
    )
    database = tmp_path / "results.duckdb"
    return RunDir.create(runs_root(database), plan, database)


@pytest.fixture
def work(run: RunDir) -> Iterator[Sweep]:
    """A sweep over three tasks, the second of which asks for more than the model can read."""
    plan = run.plan
    model: Any = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32).eval()
    lm = PrunedLM(model, AutoTokenizer.from_pretrained(MODEL_DIR), batch_tokens=2048)
    shape = loading.inspect("demo").shape
    variants = [
        shape.variant_facts(level, method="maw", divisor=None, pad_to=64, dtype=torch.float32) for level in plan.levels
    ]
    recorder = Recorder(run)
    built = build_tasks(load_tasks(plan), plan, lm, lambda: None)
    assert [task.name for task in built.tasks] == list(TASKS)
    too_long = built.tasks[1].instances[0]
    too_long.arguments = (too_long.args[0], " tea" * 2000)
    lm.clear_cache()
    stop = StopFlag()
    supply = Supply.of(built, stop)
    judges = nullcontext(Judging(run, recorder, supply, 1))
    yield Sweep(recorder, stop, lm, Ladder(model, method="maw", seed=0), variants, supply, judges)
    recorder.close()


def test_all_tasks_are_laid_out_while_the_first_is_scored(
    work: Sweep, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    last = Event()
    threads: set[int] = set()

    def prepare(built: BuiltTask, lm: PrunedLM) -> None:
        threads.add(get_ident())
        begun.append(built.name)
        if built.name == TASKS[-1]:
            last.set()
        asking.prepare(built, lm)

    def ask(built: BuiltTask, lm: PrunedLM) -> Any:
        assert last.wait(60), f"{TASKS[-1]} was not begun while {built.name} was scored"
        return asking.ask(built, lm)

    monkeypatch.setattr(sweep, "prepare", prepare)
    monkeypatch.setattr(sweep, "ask", ask)
    failed = work()
    assert [failure.task for failure in of_kind(run.events(), FailureFacts)] == ["demo_lambada"] * 2
    assert failed == 2
    assert begun == [*TASKS] * 2
    assert threads.isdisjoint({get_ident()})


def test_what_is_still_to_be_laid_out_is_left_out_at_an_end() -> None:
    is_left_out = Event()
    with sweep._ThreadAhead() as ahead:
        laid_out = ahead.submit(is_left_out.wait, 60)
        waiting = ahead.submit(lambda: None)
        waiting.add_done_callback(lambda _: is_left_out.set())
    assert waiting.cancelled()
    assert laid_out.result()


def test_texts_are_written_first_at_further_levels_since_judging_them_takes_longest(
    work: Sweep, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "prepare", lambda built, lm: None)
    monkeypatch.setattr(sweep, "ask", lambda built, lm: [])
    tasks = [work.tasks.get(name) for name in TASKS]
    assert all(tasks)
    for instance in tasks[2].instances:  # type: ignore[union-attr]
        instance.request_type = "generate_until"
    work()
    begun = [(cell.level, cell.task) for cell in of_kind(run.events(), CellStarted)]
    story, lambada, grammar = TASKS
    assert begun == [*(("0", name) for name in TASKS), *(("40", name) for name in (grammar, story, lambada))]


def test_a_task_that_cannot_be_laid_out_is_one_failed_cell(work: Sweep, run: RunDir) -> None:
    assert work() == len(work.variants)
    events = run.events()
    failures = of_kind(events, FailureFacts)
    assert [(failure.level, failure.task) for failure in failures] == [
        ("0", "demo_lambada"),
        ("40", "demo_lambada"),
    ]
    for failure in failures:
        assert "is longer than the model's" in failure.error
        assert "in _pair" in failure.detail
    cells = [(cell.level, cell.task) for cell in of_kind(events, CellFacts)]
    assert cells == [(level, task) for level in ("0", "40") for task in ("demo_story", "demo_grammar")]


def test_what_fails_only_while_laying_out_ahead_is_made_good_in_the_cell(
    work: Sweep, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(built: BuiltTask, lm: PrunedLM) -> None:
        raise MemoryError("for a moment")

    monkeypatch.setattr(sweep, "prepare", prepare)
    assert work() == len(work.variants)
    tasks = {cell.task for cell in of_kind(run.events(), CellFacts)}
    assert tasks == {"demo_story", "demo_grammar"}


def test_the_first_task_is_scored_while_the_others_are_still_built(
    work: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [work.tasks.get(name) for name in TASKS]
    work.tasks = Supply(TASKS, (), {}, {}, work.stop)
    scored: list[str] = []

    def ask(built: BuiltTask, lm: PrunedLM) -> Any:
        scored.append(built.name)
        following = tasks[len(scored) : len(scored) + 1]
        for task in following:  # it comes only now
            assert task is not None
            work.tasks.put(task)
        return asking.ask(built, lm)

    assert tasks[0] is not None
    work.tasks.put(tasks[0])
    monkeypatch.setattr(sweep, "ask", ask)
    assert work() == len(work.variants)  # the task that asks for too much
    assert scored[:3] == list(TASKS)


def test_what_ends_the_building_ends_the_sweep_and_keeps_what_was_scored(
    work: Sweep, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = work.tasks.get(TASKS[0])
    assert first is not None
    work.tasks = Supply(TASKS, (), {}, {}, work.stop)
    work.tasks.put(first)

    def ask(built: BuiltTask, lm: PrunedLM) -> Any:
        work.tasks.fail(UserError("Task 'demo_lambada' cannot be built."))
        return asking.ask(built, lm)

    monkeypatch.setattr(sweep, "ask", ask)
    with pytest.raises(UserError, match="cannot be built"):
        work()
    assert [(cell.level, cell.task) for cell in of_kind(run.events(), CellFacts)] == [("0", TASKS[0])]


def test_a_task_that_turns_out_to_be_broken_is_a_failure_at_every_level_and_said_once(work: Sweep, run: RunDir) -> None:
    first = work.tasks.get(TASKS[0])
    assert first is not None
    work.tasks = Supply(TASKS[:2], (), {}, {}, work.stop)
    work.tasks.put(first)
    work.tasks.leave_out(TASKS[1], "It cannot be built.")
    assert work() == len(work.variants)
    events = run.events()
    failures = [(one.level, one.task, one.error) for one in of_kind(events, FailureFacts)]
    assert failures == [(level, TASKS[1], "It cannot be built.") for level in ("0", "40")]
    assert [log.message for log in of_kind(events, Log)] == ["It cannot be built."]


def test_a_stop_is_noticed_while_a_task_is_waited_for(work: Sweep) -> None:
    work.tasks = Supply(TASKS, (), {}, {}, work.stop)
    work.stop.reason = "SIGINT"
    with pytest.raises(StopRequested):
        work()


def test_answers_that_cannot_be_judged_are_one_failed_cell(
    work: Sweep, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(built: BuiltTask, answers: Any) -> Any:
        if built.name == "demo_grammar":
            raise ZeroDivisionError("of the task's own code")
        return scoring.judge(built, answers)

    monkeypatch.setattr(judging, "judge", judge)
    assert work() == 2 * len(work.variants)  # demo_lambada cannot be asked
    failures = [one for one in of_kind(run.events(), FailureFacts) if one.task == "demo_grammar"]
    assert [(one.level, one.error) for one in failures] == [
        (level, "ZeroDivisionError: of the task's own code") for level in ("0", "40")
    ]


def test_answers_that_cannot_be_written_down_end_the_work(
    work: Sweep, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError("No space left on device")

    monkeypatch.setattr(judging, "write_samples", full)
    with pytest.raises(OSError, match="No space left"):
        work()
    assert not of_kind(run.events(), CellFacts)
