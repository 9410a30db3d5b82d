"""One worker process for several runs of a model: each has the results and the log of a process of its own."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from drawing_tasks import DATA, TASK
from staying_worker import ended, until_gone
from transformers import AutoModelForCausalLM

from engine.demo.paths import MODEL_DIR
from engine.planning.plan import RunPlan
from engine.planning.suites import DEMO_MODEL, TaskSpec
from engine.runs import launch, stopping
from engine.runs.keeping import Keeper
from engine.runs.past import Past
from engine.runs.rundir import RunDir, runs_root
from engine.worker.staying import given_back
from warehouse.records.events import Attempt, Finished, Log, Stage, Stopped, of_kind
from warehouse.records.facts import CellFacts, DocumentsFacts
from warehouse.records.level import parse_levels
from warehouse.records.run_state import RunState
from warehouse.store import db

TASKS = tuple(map(TaskSpec, ("demo_lambada", "demo_facts", "demo_story")))
PLAN = RunPlan(name="maw", model=DEMO_MODEL, levels=tuple(parse_levels("0,40")), tasks=TASKS, limit=6)
FURTHER = [
    replace(PLAN, name="random", method="random", levels=tuple(parse_levels("40")), seeds=PLAN.seeds),
    replace(PLAN, name="fewer", tasks=TASKS[1:]),
    replace(
        PLAN, name="obs", method="obs", repair="lsq", levels=tuple(parse_levels("40")), calibration_tokens=2048,
        damage=True,
    ),
]  # fmt: skip


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    made = Keeper()
    yield made
    made.let_go()


def new_run(folder: Path, plan: RunPlan) -> RunDir:
    database = folder / "results.duckdb"
    return RunDir.create(runs_root(database), plan, database)


def results(run: RunDir) -> list[Any]:
    """All that was measured, to the last bit of each document, and what was written of the documents."""
    events = run.events()
    cells = [replace(cell, seconds=0.0, samples="") for cell in of_kind(events, CellFacts)]
    documents = [one.hash for one in sorted(of_kind(events, DocumentsFacts), key=lambda one: one.task)]
    tasks = [replace(task, dataset_fingerprint=None) for task in run.history()[0].tasks.values()]
    return [*sorted(cells, key=lambda cell: (cell.level, cell.task)), documents, tasks]


def processes(run: RunDir) -> list[int | None]:
    return [attempt.pid for attempt in of_kind(run.events(), Attempt)]


@pytest.mark.slow
def test_runs_in_one_process_say_what_runs_in_processes_of_their_own_say(keeper: Keeper, tmp_path: Path) -> None:
    plans = [PLAN, *FURTHER, replace(FURTHER[0], name="again")]
    apart = [new_run(tmp_path / "apart", plan) for plan in plans]
    together = [new_run(tmp_path / "together", plan) for plan in plans]
    for run in apart:
        assert launch.start(run).wait(timeout=300) == launch.FINISHED, launch.log_tail(run)
    for run in together:
        assert ended(keeper.start(run)) == launch.FINISHED, launch.log_tail(run)
    assert list(map(results, together)) == list(map(results, apart))
    assert len({number for run in together for number in processes(run)}) == 1
    assert len({number for run in apart for number in processes(run)}) == len(plans)
    rows = "select count(*), count(distinct (level, task)) from cells"
    counts = []
    for folder in ("apart", "together"):
        with db.open_read(tmp_path / folder / "results.duckdb") as con:
            counts.append(con.execute(rows).fetchall())
    assert counts[0] == counts[1]
    assert all("demo_facts" in "".join(launch.log_tail(run, 99)) for run in together[:1])
    imports = [[stage.stage for stage in of_kind(run.events(), Stage)].count("import libraries") for run in together]
    assert imports == [1, 0, 0, 0, 0]
    first = Past.of(tmp_path / "apart" / "results.duckdb").startups[DEMO_MODEL]
    assert Past.of(tmp_path / "together" / "results.duckdb").startups[DEMO_MODEL] > 0 < first


@pytest.mark.slow
def test_tasks_that_draw_at_random_draw_the_same_in_the_next_run(keeper: Keeper, tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "data.py").write_text(DATA)
    for name in "ab":
        (folder / f"{name}.yaml").write_text(TASK.replace("NAME", name))
    plan = replace(
        PLAN, tasks=(TaskSpec("b"), TaskSpec("a")), include_paths=(str(folder),), trust_task_code=True, limit=None,
        levels=tuple(parse_levels("0,40")), seeds=(3, 4, 5, 6),
    )  # fmt: skip
    plans = [plan, replace(plan, name="next", method="l2"), replace(plan, name="a alone", tasks=plan.tasks[1:])]
    apart, together = ([new_run(tmp_path / name, one) for one in plans] for name in ("apart", "together"))
    for run in apart:
        assert launch.start(run).wait(timeout=300) == launch.FINISHED, launch.log_tail(run)
    for run in together:
        assert ended(keeper.start(run)) == launch.FINISHED, launch.log_tail(run)
    assert list(map(results, together)) == list(map(results, apart))
    assert len({number for run in together for number in processes(run)}) == 1


@pytest.mark.slow
def test_a_stop_ends_the_process_and_what_is_left_is_done_by_another(keeper: Keeper, tmp_path: Path) -> None:
    plan = replace(PLAN, limit=60)
    one, two = new_run(tmp_path, plan), new_run(tmp_path, replace(plan, name="two", method="l2"))
    worker = keeper.start(one)
    assert ended(worker) == launch.FINISHED
    worker = keeper.start(two)
    deadline = time.monotonic() + 60
    while two.holder() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert one.state() is RunState.FINISHED
    holder = two.holder()
    assert holder is not None
    assert [holder.pid] == processes(one)
    stopping.ask(two)
    assert ended(worker) == launch.STOPPED
    assert of_kind(two.events(), Stopped)
    until_gone(worker.pid)
    assert ended(keeper.start(two)) == launch.FINISHED
    assert [attempt.attempt for attempt in of_kind(two.events(), Attempt)][-1] == len(processes(two))
    assert processes(two)[-1] != worker.pid
    assert len({(cell.level, cell.task) for cell in of_kind(two.events(), CellFacts)}) == len(
        of_kind(two.events(), CellFacts)
    )


@pytest.mark.slow
def test_a_run_that_is_killed_in_its_turn_goes_on_in_another_process(keeper: Keeper, tmp_path: Path) -> None:
    one, two = new_run(tmp_path, PLAN), new_run(tmp_path, FURTHER[0])
    assert ended(keeper.start(one)) == launch.FINISHED
    worker = keeper.start(two)
    worker.send_signal(signal.SIGKILL)
    assert ended(worker) == -signal.SIGKILL
    assert two.state() is RunState.INTERRUPTED
    assert ended(keeper.start(two)) == launch.FINISHED
    assert one.state() is RunState.FINISHED


@pytest.mark.slow
def test_a_run_that_is_refused_takes_no_other_along(keeper: Keeper, tmp_path: Path) -> None:
    one, two = new_run(tmp_path, PLAN), new_run(tmp_path, FURTHER[0])
    (one.path / "plan.json").write_text((one.path / "plan.json").read_text().replace('"demo_lambada"', '"demo_facts"'))
    worker = keeper.start(one)
    assert ended(worker) == launch.REFUSED
    until_gone(worker.pid)
    assert ended(keeper.start(two)) == launch.FINISHED
    assert of_kind(two.events(), Finished)
    assert not of_kind(two.events(), Log)


def test_a_model_that_is_still_held_is_noticed() -> None:
    held = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)
    assert not given_back()
    assert held.training is False
