"""`tasks`, `suites`, `models`, `views` and `schema`: what there is to choose from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.planning import task_index
from engine.planning.task_index import TaskEntry
from tui.cli.app import app
from tui.cli.guard import guarded

TASKS = (
    TaskEntry("ar_piqa", "task"),
    TaskEntry("mmlu", "group", parts=("mmlu_a", "mmlu_b")),
    TaskEntry("mmlu_a", "task", num_fewshot=5),
    TaskEntry("piqa", "task", generates=True, code="utils.py"),
)


@pytest.fixture
def told(study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command prints that ends well, about the study's results."""
    monkeypatch.setenv("PRUNE_TUI_DB", str(study))
    monkeypatch.setattr(task_index, "load", lambda *_, **__: TASKS)

    def tell(*arguments: str) -> str:
        assert guarded(app, arguments) == 0
        return capsys.readouterr().out

    return tell


def test_tasks_have_their_groups_marked_and_the_name_itself_first(told):
    assert [line.split("  ")[0] for line in told("tasks", "PIQA").splitlines()] == ["task", "piqa", "ar_piqa"]
    assert "writes a text; is code, which --trust-task-code lets run" in told("tasks", "piqa")
    assert "group of 2" in told("tasks", "mmlu")
    listed = json.loads(told("tasks", "--json"))["tasks"]
    assert set(listed[0]) == {"name", "kind", "parts", "num_fewshot", "generates", "code"}
    assert {one["name"]: one["parts"] for one in listed}["mmlu"] == ["mmlu_a", "mmlu_b"]


def test_a_text_that_is_in_no_task_is_a_sentence(told, capsys):
    assert guarded(app, ["tasks", "piqua"]) == 2
    assert "There is no task or group 'piqua': did you mean piqa" in capsys.readouterr().err


def test_suites_have_tasks_and_shots(told):
    suites = {one["suite"]: one["tasks"] for one in json.loads(told("suites", "--json"))["suites"]}
    assert {"name": "mmlu", "num_fewshot": 5} in suites["paper"]
    assert "paper-instruct  lambada_openai" in told("suites")


def test_models_have_their_size_and_what_is_measured(told):
    out = told("models")
    assert "meta-llama/Llama-3.2-1B: 1.24B parameters, 2 runs (published)" in out
    assert "  MAW at 0, 10, 40, 60 %: MMLU, GSM8K, IFEval" in out
    (instruct,) = [one for one in json.loads(told("models", "--json"))["models"] if "Instruct" in one["model"]]
    assert instruct["measured"][0]["levels"] == [0, 10, 40, 60]


def test_views_and_columns_have_their_comments(told):
    assert "level_scores" in told("views")
    assert "merged_events" not in told("views")
    assert "merged_events" in told("schema")
    assert all(one["comment"] for one in json.loads(told("schema", "--json"))["relations"])
    columns = json.loads(told("schema", "LEVEL_SCORES", "--json"))["columns"]
    assert columns[0]["name"] == "model"
    assert all(one["comment"] for one in columns)


def test_a_view_that_is_not_there_is_a_sentence(told, capsys):
    assert guarded(app, ["schema", "levelscores"]) == 2
    assert "There is no table or view 'levelscores': did you mean level_scores" in capsys.readouterr().err
