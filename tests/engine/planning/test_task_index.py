"""The list of tasks, as one's own folders add to it."""

from __future__ import annotations

import json

import pytest

from engine.demo.paths import TASKS_DIR
from engine.errors import UserError
from engine.planning import task_index
from engine.planning.suites import TaskSpec


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A list that was kept before, so that lm-eval's own tasks are not read again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    entry = {"name": "piqa", "kind": "task", "parts": [], "num_fewshot": None, "generates": False}
    task_index.cache_path().parent.mkdir(parents=True)
    task_index.cache_path().write_text(json.dumps([entry]))


def test_tasks_whose_answers_are_written_are_told_apart(known):
    entries = {entry.name: entry for entry in task_index.load((str(TASKS_DIR),))}
    assert {name for name, entry in entries.items() if entry.generates} == {"demo_sums", "demo_instructions"}
    assert "piqa" in entries
    assert entries["demo_facts"].parts == ("demo_facts_animals", "demo_facts_foods", "demo_facts_towns")


def test_a_list_that_an_older_version_kept_is_asked_for_again(known, monkeypatch):
    task_index.cache_path().write_text(json.dumps([{"name": "piqa", "kind": "task", "parts": [], "num_fewshot": None}]))
    entry = {"name": "boolq", "kind": "task", "parts": [], "num_fewshot": None, "generates": False}
    monkeypatch.setattr(task_index, "_ask", lambda folders: json.dumps([entry]))
    assert [entry.name for entry in task_index.load()] == ["boolq"]


MINE = """
task: mine
dataset_path: json
output_type: multiple_choice
process_docs: !function own.prepare
"""


def test_tasks_are_checked_as_a_worker_checks_them(known, tmp_path):
    (tmp_path / "mine.yaml").write_text(MINE)
    folders = (str(tmp_path),)
    task_index.check([TaskSpec("piqa", 5), TaskSpec("mine")], folders, trusted=True)
    with pytest.raises(UserError, match=r"code: mine.yaml runs own.prepare. Read them, and add --trust-task-code"):
        task_index.check([TaskSpec("mine")], folders, trusted=False)
    with pytest.raises(UserError, match="There is no task or group 'minne': did you mean mine"):
        task_index.check([TaskSpec("minne")], folders, trusted=True)
