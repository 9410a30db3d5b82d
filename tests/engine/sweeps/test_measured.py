"""What of a sweep is measured already, under which conditions that is so, and what is left of it."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.create import create
from engine.runs.rundir import RunDir
from engine.sweeps import same_model
from engine.sweeps.measured import left, measured
from warehouse.records.events import Attempt, TasksFound
from warehouse.records.facts import CellFacts, FoundTask, ModelFacts
from warehouse.records.level import parse_levels
from warehouse.store.journal import Journal

VERSIONS = {name: version(name) for name in ("prune-tui", "lm-eval")}


def plan(levels: str = "0,40", tasks: str = "piqa,boolq", **more) -> RunPlan:
    given: dict[str, Any] = {"name": "a", "model": "org/a", "dtype": "float32"} | more
    return RunPlan(levels=tuple(parse_levels(levels)), tasks=tuple(map(TaskSpec.parse, tasks.split(","))), **given)


def facts(revision: str | None = "c0ffee") -> ModelFacts:
    return ModelFacts(
        model="org/a", source=None, revision=revision, weights_hash="w", model_type="llama", hidden_size=8,
        intermediate_size=16, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1, vocab_size=16,
        tied_embeddings=True, parameters=1, bytes=4,
    )  # fmt: skip


def cell(level: str, task: str) -> CellFacts:
    return CellFacts(
        level=level, task=task, part_of=None, is_group=False, version="1", num_fewshot=0, seconds=0.1, metrics=[]
    )


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(same_model, "_cached_commit", lambda model, revision: "c0ffee")
    return tmp_path / "results.duckdb"


def earlier(
    database: Path, of: RunPlan, cells: list[tuple[str, str]] | None = None, *, versions=VERSIONS,
    device: str = "cpu", revision: str | None = "c0ffee", events=(),
) -> RunDir:  # fmt: skip
    """A run that has these cells of a plan, or all."""
    run = create(of, database)
    journal = Journal(run.journal_path)
    journal.append(Attempt(attempt=1, pid=1, host="h", provenance={"versions": versions, "device": device}))
    journal.append(facts(revision))
    for event in events:
        journal.append(event)
    for level, task in (
        [(str(level), spec.name) for level in of.levels for spec in of.tasks] if cells is None else cells
    ):
        journal.append(cell(level, task))
    return run


def what_is_left(database: Path, *plans: RunPlan) -> list[tuple[str, str]]:
    parts = left(plans, measured(plans, database))
    return [(",".join(map(str, part.levels)), ",".join(map(str, part.tasks))) for part in parts]


def test_nothing_is_left_of_what_was_measured(database: Path):
    run = earlier(database, plan())
    [[found]] = measured([plan()], database)
    assert found.run_id == run.run_id
    assert found.cells == (("0", "piqa"), ("0", "boolq"), ("40", "piqa"), ("40", "boolq"))
    assert what_is_left(database, plan()) == []


def test_levels_that_lack_the_same_tasks_stay_together(database: Path):
    earlier(database, plan("0,20"), [("0", "piqa"), ("0", "boolq"), ("20", "piqa"), ("20", "boolq")])
    wanted = plan("0,20,40,60", "piqa,boolq,arc_easy@5")
    assert what_is_left(database, wanted) == [("0,20", "arc_easy@5"), ("40,60", "piqa,boolq,arc_easy@5")]
    parts = left([wanted], measured([wanted], database))
    assert [part.name for part in parts] == ["a level 0,20", "a level 40,60"]
    assert len({part.sweep for part in parts} - {None}) == 1


def test_a_cell_is_counted_with_the_first_run_that_has_it_and_a_run_that_was_cut_off_counts(database: Path):
    first = earlier(database, plan(), [("0", "piqa")])
    second = earlier(database, plan(), [("0", "piqa"), ("0", "boolq")])
    [found] = measured([plan()], database)
    assert [(one.run_id, one.cells) for one in found] == [
        (first.run_id, (("0", "piqa"),)), (second.run_id, (("0", "boolq"),)),
    ]  # fmt: skip


def test_the_unpruned_level_is_the_same_for_every_method_and_repair_and_no_other_level_is(database: Path):
    earlier(database, plan(method="l2"))
    assert what_is_left(database, plan()) == [("40", "piqa,boolq")]


@pytest.mark.parametrize(
    "change",
    [{"limit": 5}, {"seeds": (1, 2, 3, 4)}, {"dtype": "bfloat16"}, {"model": "org/b"}, {"apply_chat_template": True},
     {"tasks": (TaskSpec("piqa", 5), TaskSpec("boolq", 5))}],
)  # fmt: skip
def test_other_conditions_are_measured_again(database: Path, change: dict):
    earlier(database, replace(plan(), **change))
    assert measured([plan()], database) == [[]]
    assert left([plan()], [[]]) == [plan()]


def test_what_changes_no_score_may_differ(database: Path):
    earlier(database, plan(name="other", batch_tokens=64, compile_layers=True, use_cache=False, device="cpu"))
    assert what_is_left(database, plan()) == []


def test_a_model_of_the_hub_has_to_be_the_commit_that_is_here_and_the_rest_is_held_to_it(database, monkeypatch):
    earlier(database, plan("0"))
    [part] = left([plan()], measured([plan()], database))
    assert (part.revision, list(map(str, part.levels))) == ("c0ffee", ["40"])
    assert what_is_left(database, plan(revision="c0ffee")) == [("40", "piqa,boolq")]
    monkeypatch.setattr(same_model, "_cached_commit", lambda model, revision: "0ther")
    assert measured([plan()], database) == [[]]


def test_a_run_that_does_not_say_which_model_or_versions_counts_for_nothing(database: Path):
    earlier(database, plan(), revision=None)
    earlier(database, plan(), versions=VERSIONS | {"lm-eval": "0.1"})
    earlier(database, plan(), versions={})
    assert measured([plan()], database) == [[]]


def test_a_folder_counts_for_as_long_as_nothing_in_it_changes(database: Path, tmp_path: Path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    wanted = plan(model=str(folder))
    run = earlier(database, wanted, revision=None)
    _made(run, in_seconds=5)
    assert what_is_left(database, wanted) == []
    other = folder / "model.safetensors"
    other.write_text("weights")
    os.utime(other, (1, 1))  # as a copy that keeps its time
    _made(run, in_seconds=-5)
    assert measured([wanted], database) == [[]]


def _made(run: RunDir, *, in_seconds: float) -> None:
    """Let the run have been made at another time than now."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + in_seconds))
    path = run.path / "plan.json"
    path.write_text(path.read_text().replace(run.created_at.isoformat(timespec="seconds"), at))


def test_a_dtype_that_follows_the_device_needs_the_same_kind_of_device(database: Path, monkeypatch):
    monkeypatch.setattr(same_model, "_kind_now", lambda device: "cuda" if device == "auto" else device)
    wanted = plan(dtype="auto")
    earlier(database, wanted, device="cpu")
    assert measured([wanted], database) == [[]]
    earlier(database, wanted, device="cuda:0")
    assert what_is_left(database, wanted) == []


def test_a_group_is_measured_when_all_of_its_tasks_are(database: Path):
    found = TasksFound(tasks=[FoundTask(task=name, part_of="demo_facts", documents=3) for name in ("towns", "foods")])
    wanted = plan("0", "demo_facts")
    earlier(database, wanted, [("0", "towns")], events=[found])
    assert measured([wanted], database) == [[]]
    earlier(database, wanted, [("0", "towns"), ("0", "foods")], events=[found])
    assert what_is_left(database, wanted) == []


def test_a_calibrated_level_counts_whole_and_with_the_same_tasks(database: Path):
    """Text that neurons are looked at on leaves out what the tasks ask."""
    wanted = plan(repair="lsq")
    earlier(database, plan("40", "piqa", repair="lsq"))
    earlier(database, wanted, [("40", "piqa"), ("0", "piqa")])
    assert what_is_left(database, wanted) == [("0", "boolq"), ("40", "piqa,boolq")]
    earlier(database, wanted, [("40", "piqa"), ("40", "boolq")])
    assert what_is_left(database, wanted) == [("0", "boolq")]


def test_damage_is_measured_unless_it_was(database: Path):
    earlier(database, plan())
    assert what_is_left(database, plan(damage=True)) == [("0,40", "piqa,boolq")]
    cells = [(level, task) for level in ("0", "40") for task in ("piqa", "boolq", "damage")]
    earlier(database, plan(damage=True), cells)
    assert what_is_left(database, plan(damage=True)) == []
    assert what_is_left(database, plan()) == []
