"""What is code in task files from outside is told from their text, and nothing of theirs is run for it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import lm_eval.tasks
import pytest
from lm_eval.tasks._index import TaskIndex

from engine.evaluation.task_code import TaskCode, _read, task_code

LM_EVAL = Path(lm_eval.tasks.__file__).parent
PLAIN = """
task: mine
dataset_path: json
dataset_kwargs: {data_files: {test: mine.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{q}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
description: "See ftp://x and a::b."
metadata: {version: 1.0, when: 2025-01-01, half: 0.5, none: null}
"""


def read(folder: Path, *names: str, **files: str) -> TaskCode:
    """Of the tasks in `folder`, written there first: `mine` is mine.yaml."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return task_code(TaskIndex.build([folder]), names or ["mine"])


def test_a_plain_file_is_no_code_and_its_hash_is_known(tmp_path: Path):
    code = read(tmp_path, mine=PLAIN)
    assert code.reasons == []
    assert code.hashes([str(tmp_path)]) == {"mine.yaml": hashlib.sha256(PLAIN.encode()).hexdigest()}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("process_docs: !function own.prepare", "mine.yaml runs own.prepare"),
        ("process_docs: !function os.system", "mine.yaml runs os.system"),
        ("fewshot_config: {samples: !function own.shots}", "mine.yaml runs own.shots"),
        ("class: !function own.Task", "mine.yaml runs own.Task"),
        ("process_docs: !function lm_eval.utils.import_function", "runs lm_eval.utils.import_function"),
        ("class: own", "is a task in Python"),
        ("more: [{metric: who/evil}]", "scores by who/evil, which evaluate loads as code"),
        ("more: [{metric: acc, hf_evaluate: true}]", "a metric that evaluate loads as code"),
        ("use_prompt: prompts.yaml:mine", "takes its prompt from prompts.yaml:mine"),
        ("dataset_path: ./data.py", "has data that ./data.py loads by code"),
        ("dataset_path: pandas", "has data that pandas loads by code"),
        ("more: {trust_remote_code: true}", "has data that comes with code"),
        ("dataset_kwargs: {data_files: {test: [a, 'reference://x.json']}}", "has data by reference"),
        ("dataset_kwargs: {data_files: 'simplecache::https://x.example/a.json'}", "has data by simplecache"),
        ("dataset_kwargs: {storage_options: {fo: x}}", "says how its data are opened (storage_options)"),
    ],
)
def test_what_runs_python_is_named(tmp_path: Path, line: str, reason: str):
    assert any(reason in one for one in read(tmp_path, mine=f"{PLAIN}{line}\n").reasons)


def test_nothing_of_it_is_run(tmp_path: Path):
    (tmp_path / "own.py").write_text("raise SystemExit('ran')")
    code = read(tmp_path, mine=f"{PLAIN}process_docs: !function own.prepare\n")
    assert set(code.hashes([str(tmp_path)])) == {"mine.yaml", "own.py"}


def test_files_that_are_included_are_read_as_well(tmp_path: Path):
    (tmp_path / "base").write_text("process_docs: !function own.prepare\n")
    code = read(tmp_path, mine=f"include: base\n{PLAIN}")
    assert code.reasons == ["base runs own.prepare"]
    assert set(code.hashes([str(tmp_path)])) == {"mine.yaml", "base"}


def test_parts_of_a_group_are_read_as_well(tmp_path: Path):
    part = PLAIN.replace("task: mine", "task: part")
    group = "group: mine\ntask: [{group: inner, task: [{task: part, num_fewshot: 1}]}]\n"
    code = read(tmp_path, part=f"{part}process_docs: !function own.prepare\n", mine=group)
    assert code.reasons == ["part.yaml runs own.prepare"]


def test_tasks_of_a_tag_are_read_as_well(tmp_path: Path):
    code = read(tmp_path, "tagged", mine=f"tag: tagged\n{PLAIN}process_docs: !function own.prepare\n")
    assert code.reasons == ["mine.yaml runs own.prepare"]


def test_other_tasks_of_the_folder_are_not_asked_about(tmp_path: Path):
    other = PLAIN.replace("task: mine", "task: other")
    assert read(tmp_path, mine=PLAIN, other=f"{other}process_docs: !function own.prepare\n").reasons == []


def test_functions_that_lm_evals_own_files_name_are_its_own(tmp_path: Path):
    base = LM_EVAL / "hellaswag" / "hellaswag.yaml"
    assert "!function" in base.read_text()
    code = read(tmp_path, mine=f"include: {base}\ntask: mine\n")
    assert code.reasons == []
    assert set(code.hashes([str(tmp_path)])) == {"mine.yaml"}


def test_a_link_into_lm_eval_is_where_it_leads(tmp_path: Path):
    (tmp_path / "mine.yaml").symlink_to(LM_EVAL / "hellaswag" / "hellaswag.yaml")
    assert read(tmp_path, "hellaswag") == TaskCode()


@pytest.mark.parametrize("tag", ["!!python/name:os.system", "!!python/object/apply:os.system", "!other"])
def test_other_tags_are_not_taken_for_plain(tmp_path: Path, tag: str):
    code = read(tmp_path, mine=PLAIN)
    (tmp_path / "base").write_text(f"{PLAIN}doc_to_target: {tag} [x]\n")
    _read(tmp_path / "base", code)
    assert [reason.split(" holds ")[0] for reason in code.reasons] == ["base"]


def test_files_that_go_round_in_a_circle_or_unfold_come_to_an_end(tmp_path: Path):
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    code = read(tmp_path, mine=f"{PLAIN}{bomb}")
    (tmp_path / "base").write_text("include: base\n")
    _read(tmp_path / "base", code)
    assert code.reasons == []


def test_what_cannot_be_read_is_not_taken_for_plain(tmp_path: Path):
    (tmp_path / "base").write_text(f"{PLAIN}more: {'[' * 1500}{']' * 1500}\n")
    code = TaskCode()
    _read(tmp_path / "base", code)
    assert code.reasons == ["base cannot be read as plain YAML (RecursionError)"]


def test_modules_that_a_tasks_module_imports_from_beside_it_are_hashed_as_well(tmp_path: Path):
    files = {
        "own.py": "import json, helper\nfrom parts.words import first as one\nfrom . import near\nimport own\n",
        "helper.py": "def f():\n    from deep import value\n",
        "deep.py": "import gone\n",
        "near.py": "this is no Python",
        "parts/__init__.py": "",
        "parts/words.py": "from ..deep import value\nfrom .more import *\n",
        "parts/more.py": "",
        "other.py": "",
    }
    (tmp_path / "parts").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    code = read(tmp_path, mine=f"{PLAIN}process_docs: !function own.prepare\n")
    assert set(code.hashes([str(tmp_path)])) == {"mine.yaml", *files} - {"other.py"}
