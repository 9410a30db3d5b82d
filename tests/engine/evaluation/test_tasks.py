"""A task that cannot be built, or that is code, is named in a sentence; others go on without it where one says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lm_eval.tasks import TaskManager

from engine.demo.paths import TASKS_DIR
from engine.errors import UserError
from engine.evaluation import task_loading
from engine.evaluation.task_loading import load_tasks, refuse_long_answers
from engine.evaluation.tasks import build_tasks
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from warehouse.records.level import parse_levels

DOCUMENT = {"q": "Is it so?", "c": [" yes", " no"], "l": 0}
TASK = """
task: mine
custom_dataset: !function data.load
test_split: test
output_type: multiple_choice
doc_to_text: "{{q}}"
doc_to_choice: "{{c}}"
doc_to_target: "{{l}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
metadata: {version: 1.0}
"""
DATA = """
from datasets import Dataset, DatasetDict

def load(**_):
    return DatasetDict(test=Dataset.from_list(DOCUMENTS))

def prepare(documents):
    return 1 / 0

def leave(documents):
    raise SystemExit(0)
"""
PLAN = RunPlan(
    name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("mine"),), limit=2, trust_task_code=True
)


class Asked:
    """Stands for a model that tokenises whatever it is asked."""

    def encode(self, instances: Any, progress: Any, kept: Any) -> None: ...

    def kept_tokens(self, requests_hash: str) -> None: ...

    def tokens_of(self, instance: Any) -> tuple[list[int]]:
        return ([1],)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunPlan]:
    """Writes the task, some of its text changed, and gives a plan of it; lm-eval's own tasks are left out."""
    monkeypatch.setattr(
        task_loading,
        "_manager",
        lambda names, folders: TaskManager(include_path=[TASKS_DIR, tmp_path], include_defaults=False),
    )

    def write(
        *changes: tuple[str, str], documents: Any = (DOCUMENT,) * 3, text: str = TASK, **settings: Any
    ) -> RunPlan:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "mine.yaml").write_text(text)
        # A name of its own, since lm-eval keeps modules by their path.
        (tmp_path / "data.py").write_text(DATA.replace("DOCUMENTS", json.dumps(documents)))
        return replace(PLAN, include_paths=(str(tmp_path),), **settings)

    return write


def built(plan: RunPlan) -> Any:
    found = load_tasks(plan)
    refuse_long_answers(found, 256, plan)
    lm: Any = Asked()
    return build_tasks(found, plan, lm, lambda: None)


def test_what_is_right_is_built(mine):
    (task,) = built(mine()).tasks
    assert (task.name, task.facts.n_docs) == ("mine", 2)


GENERATES = (
    ("output_type: multiple_choice", "output_type: generate_until\ngeneration_kwargs: {max_gen_toks: TOKENS}"),
    ('doc_to_choice: "{{c}}"', ""),
    ("metric: acc", "metric: exact_match"),
)


@pytest.mark.parametrize(
    ("changes", "documents", "cause"),
    [
        ((), [DOCUMENT | {"c": [" yes", ""]}] * 3, "a choice is empty"),
        ((("{{q}}", "{{question}}"),), [DOCUMENT] * 3, "'question' is undefined"),
        ((("{{q}}", "{{q"),), [DOCUMENT] * 3, "TemplateSyntaxError"),
        ((("{{q}}", "{{ cycler.__init__.__globals__ }}"),), [DOCUMENT] * 3, "SecurityError"),
        ((("test_split: test", "test_split: exam"),), [DOCUMENT] * 3, "there is no 'exam'"),
        (
            (("test_split: test", "test_split: test\nfewshot_split: train\nnum_fewshot: 1"),),
            [DOCUMENT] * 3, "there is no 'train'",
        ),
        (
            (("test_split: test", "test_split: test\nfewshot_split: test\nnum_fewshot: 5"),),
            [DOCUMENT] * 3, "fewer examples than shots",
        ),
        ((("metadata", "filter_list: [{name: f, filter: [{function: sieve}]}]\nmetadata"),), [DOCUMENT] * 3, "sieve"),
        ((("metadata", "process_docs: !function data.prepare\nmetadata"),), [DOCUMENT] * 3, "zero, data.py line 8"),
        ((("metadata", "process_docs: !function data.leave\nmetadata"),), [DOCUMENT] * 3, "its code ends the process"),
        ((("data.load", "nowhere.load"),), [DOCUMENT] * 3, "Cannot import module 'nowhere'"),
        ((("multiple_choice", "multiple_voice"),), [DOCUMENT] * 3, "multiple_voice"),
        ((("mean", "meen"),), [DOCUMENT] * 3, "does not know the aggregation of acc"),
        ((), [DOCUMENT | {"l": 7}] * 3, "names a choice that it does not have"),
        ((*GENERATES, ("TOKENS", "many")), [DOCUMENT] * 3, "many"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_task_that_cannot_be_built_is_named_with_the_cause(mine, changes: Any, documents: Any, cause: str):
    with pytest.raises(UserError) as refused:
        built(mine(*changes, documents=documents))
    assert "Task 'mine' cannot be built (" in str(refused.value)
    assert cause in str(refused.value)
    assert "--skip-broken-tasks" in str(refused.value)


def test_an_answer_longer_than_the_context_is_refused_before_anything_is_tokenised(mine):
    plan = mine(*GENERATES, ("TOKENS", "256"))
    found = load_tasks(plan)
    with pytest.raises(UserError, match="Task 'mine': up to 256 tokens are to be generated"):
        refuse_long_answers(found, 256, plan)
    refuse_long_answers(found, 257, plan)


@pytest.mark.parametrize(
    ("changes", "documents"),
    [
        ((("metadata", "process_docs: !function data.prepare\nmetadata"),), [DOCUMENT] * 3),  # while it is loaded
        ((("{{q}}", "{{q.strip()}}"),), [DOCUMENT, DOCUMENT | {"q": None}, DOCUMENT]),  # while its prompts are written
        ((*GENERATES, ("TOKENS", "5000")), [DOCUMENT] * 3),  # in between
    ],
    ids=["loading", "building", "too long"],
)
def test_others_go_on_without_it_where_one_says_so(mine, changes: Any, documents: Any):
    both = (TaskSpec("mine"), TaskSpec("demo_sums"))
    plan = mine(*changes, documents=documents, tasks=both)
    with pytest.raises(UserError, match="'mine'"):
        built(plan)
    found = built(replace(plan, skip_broken_tasks=True))
    assert [task.name for task in found.tasks] == ["demo_sums"]
    assert list(found.broken) == ["mine"]
    assert "'mine'" in found.broken["mine"]


def test_where_no_task_is_left_there_is_nothing_to_go_on_with(mine):
    with pytest.raises(UserError, match=r"None of the tasks can be built\. Task 'mine'"):
        built(mine(("{{q}}", "{{question}}"), skip_broken_tasks=True))


def test_code_from_outside_is_not_run_unless_it_is_trusted(mine, tmp_path: Path):
    plan = mine()
    (tmp_path / "data.py").write_text("raise AssertionError('ran')")
    with pytest.raises(UserError, match=r"mine\.yaml runs data\.load\. Read them, and add --trust-task-code"):
        load_tasks(replace(plan, trust_task_code=False, skip_broken_tasks=True))


def test_the_hashes_of_files_from_outside_are_known(mine):
    plan = mine(tasks=(TaskSpec("mine"), TaskSpec("demo_sums")))
    assert set(load_tasks(plan).code) == {"mine.yaml", "data.py"}


def test_a_limit_that_leaves_nothing_out_is_none(mine):
    found = load_tasks(mine())
    assert [found.covered_by(limit) for limit in (None, 1_000_000, 3, 2, 0.5)] == [True, True, True, False, False]
