"""The list of tasks, as one's own folders add to it."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from engine.demo.paths import TASKS_DIR
from engine.errors import UserError
from engine.planning import task_index
from engine.planning.suites import SUITES, TaskSpec
from warehouse.store import cache

PIQA = {
    "name": "piqa",
    "kind": "task",
    "parts": [],
    "num_fewshot": None,
    "generates": False,
    "code": "",
    "file": None,
    "tagged": [],
}


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A list that was kept before, so that lm-eval's own tasks are not read again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr(task_index, "_ask", lambda folders: json.dumps([PIQA]))
        task_index.load()
    return task_index


@pytest.fixture
def asked(monkeypatch):
    """What folders are read from now on."""
    asked = []
    ask = task_index._ask
    monkeypatch.setattr(task_index, "_ask", lambda folders: asked.append(folders) or ask(folders))
    return asked


@pytest.fixture
def own_folder(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "mine.yaml").write_text(MINE)
    return folder


def test_tasks_whose_answers_are_written_are_told_apart(known):
    entries = {entry.name: entry for entry in task_index.load((str(TASKS_DIR),))}
    assert {name for name, entry in entries.items() if entry.generates} == {"demo_sums", "demo_instructions"}
    assert "piqa" in entries
    assert entries["demo_facts"].parts == ("demo_facts_animals", "demo_facts_foods", "demo_facts_towns")


def test_a_list_is_read_once_until_one_of_its_files_changes(known, asked, own_folder):
    folders = (str(own_folder),)
    said = []
    for _ in range(3):
        task_index.load(folders, reading=lambda: said.append("reading"))
    assert asked == [folders]
    assert said == ["reading"]
    (own_folder / "more.yaml").write_text(MINE.replace("mine", "more"))
    assert {"mine", "more"} <= {entry.name for entry in task_index.load(folders)}
    (own_folder / "more.yaml").write_text(MINE.replace("mine", "most"))
    assert "most" in {entry.name for entry in task_index.load(folders)}
    assert asked == [folders] * 3


@pytest.mark.parametrize("kept", ["", "{}", "key\n[]", "[{}]"])
def test_a_list_that_is_damaged_is_read_again(known, monkeypatch, kept):
    for file in (cache.folder("tasks") or TASKS_DIR).iterdir():
        file.write_text(kept)
    monkeypatch.setattr(task_index, "_ask", lambda folders: json.dumps([PIQA | {"name": "boolq"}]))
    assert [entry.name for entry in task_index.load()] == ["boolq"]


def test_what_our_suites_name_needs_no_list_to_be_checked(tmp_path, monkeypatch, asked, own_folder):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    task_index.check(SUITES["paper"], (), trusted=False)
    assert asked == []
    task_index.check([*SUITES["paper"], TaskSpec("mine")], (str(own_folder),), trusted=True)
    with pytest.raises(UserError, match=r"code: mine.yaml runs own.prepare"):
        task_index.check([*SUITES["paper"], TaskSpec("mine")], (str(own_folder),), trusted=False)
    assert asked == [(str(own_folder),)]


@pytest.mark.parametrize("problem", [None, task_index.UnlistedError("they cannot be read")])
def test_a_list_that_is_read_ahead_is_waited_for(tmp_path, monkeypatch, problem):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    begun, go, asked = Event(), Event(), []

    def ask(folders):
        asked.append(folders)
        begun.set()
        assert go.wait(60)
        if problem is not None:
            raise problem
        return json.dumps([PIQA])

    monkeypatch.setattr(task_index, "_ask", ask)
    task_index.read_ahead(SUITES["demo"], ())
    task_index.read_ahead([TaskSpec("piqa")], ())
    assert begun.wait(60)
    with ThreadPoolExecutor(1) as pool:
        listed = pool.submit(task_index.load)
        go.set()
        if problem is None:
            assert [entry.name for entry in listed.result()] == ["piqa"]
            assert len(asked) == 1
            task_index.read_ahead([TaskSpec("piqa")], ())
            assert len(asked) == 1
        else:
            with pytest.raises(task_index.UnlistedError):
                listed.result()


def test_another_lm_eval_has_another_list(known, monkeypatch):
    monkeypatch.setattr(task_index, "version", lambda name: "9.9")
    monkeypatch.setattr(task_index, "_ask", lambda folders: json.dumps([PIQA | {"name": "boolq"}]))
    assert [entry.name for entry in task_index.load()] == ["boolq"]


def test_a_task_in_one_s_own_folder_is_found_without_lm_eval_s_list(tmp_path, monkeypatch, asked, own_folder):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    task_index.check([TaskSpec("mine")], (str(own_folder),), trusted=True)
    assert asked == [(str(own_folder),)]


MINE = """
task: mine
dataset_path: json
output_type: multiple_choice
process_docs: !function own.prepare
"""


def test_tasks_are_checked_as_a_worker_checks_them(known, own_folder):
    folders = (str(own_folder),)
    task_index.check([TaskSpec("piqa", 5), TaskSpec("mine")], folders, trusted=True)
    with pytest.raises(UserError, match=r"code: mine.yaml runs own.prepare. Read them, and add --trust-task-code"):
        task_index.check([TaskSpec("mine")], folders, trusted=False)
    with pytest.raises(UserError, match="There is no task or group 'minne': did you mean mine"):
        task_index.check([TaskSpec("minne")], folders, trusted=True)


@pytest.mark.slow
@pytest.mark.real_process
def test_the_list_is_lm_eval_s_own_and_read_without_torch(session_folder):
    from lm_eval_index import read_by_lm_eval

    index = read_by_lm_eval(session_folder)
    entries = task_index._parse(task_index._ask(task_index._own_folders()))
    assert [entry.name for entry in entries] == sorted(index)
    assert {spec.name for specs in SUITES.values() for spec in specs} <= index.keys()
    for entry in entries:
        found = index[entry.name]
        assert entry.kind == found["kind"].lower()
        assert entry.num_fewshot == found["num_fewshot"]
        assert entry.code == ""


@pytest.mark.real_process
def test_reading_tasks_loads_no_torch(own_folder):
    statement = (
        "import sys; from engine.worker import list_tasks; list_tasks.main(sys.argv[1:]); "
        "print(*{'torch', 'transformers', 'datasets'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", statement, str(own_folder)], capture_output=True, text=True, check=True, timeout=60
    )
    [entry], loaded = json.loads(done.stdout.splitlines()[0]), done.stdout.splitlines()[1]
    assert entry["name"] == "mine"
    assert entry["code"] == "mine.yaml runs own.prepare"
    assert loaded == ""
