"""lm-eval's index from the list that is kept of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from lm_eval.tasks import TaskManager
from lm_eval_index import known, read_by_lm_eval, same

from engine.evaluation import task_loading
from engine.evaluation.kept_index import KeptIndex
from engine.evaluation.task_code import task_code
from engine.planning import task_index
from engine.planning.task_index import TaskEntry

TASK = """
task: NAME
tag: TAG
dataset_path: json
dataset_kwargs: {data_files: {test: ROWS}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{q}}"
doc_to_choice: [" yes", " no"]
doc_to_target: 0
metadata: {version: VERSION}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two tasks with a tag, and a group of them."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"q": "Is it so?"}\n')
    for name in ("one", "two"):
        write(tmp_path, name, version="1")
    (tmp_path / "both.yaml").write_text("group: both\ntask: [one, two]\naggregate_metric_list: [{metric: acc}]\n")
    return tmp_path


def write(folder: Path, name: str, *, version: str) -> None:
    text = TASK.replace("NAME", name).replace("TAG", "mine").replace("ROWS", str(folder / "rows.jsonl"))
    (folder / f"{name}.yaml").write_text(text.replace("VERSION", version))


def entries(folder: Path) -> list[TaskEntry]:
    """Those of a folder, as the process that lists tasks tells them."""
    return list(task_index._entries((str(folder),), lambda: None).values())


def test_it_has_what_reading_the_files_gives_and_loads_the_same_tasks(folder: Path) -> None:
    kept = KeptIndex(entries(folder), [])
    read = TaskManager(include_path=[str(folder)], include_defaults=False)
    assert same(kept, known(read))
    for name in ("one", "mine", "both"):
        tasks, expected = kept.load([name])["tasks"], read.load([name])["tasks"]
        assert [one.dump_config() for one in tasks.values()] == [one.dump_config() for one in expected.values()]
        assert task_code(kept.task_index, [name]) == task_code(read.task_index, [name])


def test_folders_of_one_s_own_take_precedence(folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "rows.jsonl").write_text('{"q": "Is it so?"}\n')
    write(elsewhere, "two", version="2")
    kept = KeptIndex(entries(folder), [str(elsewhere)])
    assert [task.VERSION for task in kept.load(["both"])["tasks"].values()] == [1, 2]


def test_where_there_is_no_list_lm_eval_reads_its_tasks_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bool] = []

    def unlisted() -> tuple[TaskEntry, ...]:
        raise task_index.UnlistedError("not now")

    monkeypatch.setattr(task_index, "load", unlisted)
    monkeypatch.setattr(task_loading, "TaskManager", lambda **given: read.append(given["include_defaults"]))
    task_loading._index.__wrapped__((), defaults=True)
    assert read == [True]


@pytest.mark.slow  # reads all of lm-eval's tasks
def test_of_lm_eval_s_own_it_has_every_one(session_folder: Path) -> None:
    assert same(task_loading._index((), defaults=True), read_by_lm_eval(session_folder))
