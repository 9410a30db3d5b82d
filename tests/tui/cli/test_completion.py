"""What a shell completes: runs, models and tasks, and never a text that it would run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from template import copied

from engine.planning import task_index
from engine.planning.task_index import TaskEntry
from tui.cli import completion


class Line:
    """A command line as far as it was typed."""

    def __init__(self, **params: Any) -> None:
        self.params, self.parent = params, None


def completed(shell, words: str) -> list[str]:
    """What bash is told for the last word of a line."""
    at = str(len(words.split(" ")) - 1)
    done = shell(_PRUNE_TUI_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=at)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.split("\n") if line]


def test_runs_models_and_commands_are_completed(shell, study):
    assert completed(shell, "prune-tui sho") == ["show"]
    assert completed(shell, "prune-tui show ") == []
    copied(study, shell.cwd / "other.duckdb")
    assert completed(shell, "prune-tui why --db other.duckdb Llama-3.2-1B-") == ["Llama-3.2-1B-Instruct"]
    ids = completed(shell, "prune-tui show --db other.duckdb published-llama-3.2-3b")
    assert [name[:29] for name in ids] == ["published-llama-3.2-3b-measur", "published-llama-3.2-3b-scores"]


def test_a_name_that_a_shell_would_run_is_not_completed(fake):
    run = ("run", "org/tiny", "--levels", "0", "--tasks", "piqa", "--detach", "--name")
    for name in ("fine", "fine;id", "fine$(id)"):
        fake(*run[:6], "--name", name)
    line = Line(db=fake.cwd / "results.duckdb")
    names = [text for text, _ in completion.complete_runs(line, "fine")]
    assert names == ["fine"]


def test_tasks_are_completed_after_the_last_comma(monkeypatch: pytest.MonkeyPatch):
    listed = tuple(TaskEntry(name, "task") for name in ("mmlu", "piqa", "piqa_ar", "pi;qa"))
    monkeypatch.setattr(task_index, "kept", lambda: listed)
    assert completion.complete_tasks("mmlu,pi") == [("mmlu,piqa", "task"), ("mmlu,piqa_ar", "task")]


def test_json_is_a_format(shell, study):
    copied(study, shell.cwd / "results.duckdb")
    assert json.loads(shell("sql", "select 1 as n", "--json").stdout) == [{"n": 1}]
    refused = shell("sql", "select 1 as n", "--json", "--format", "csv")
    assert (refused.returncode, refused.stderr) == (
        2,
        "prune-tui: --json and --format csv say two things: give one of them.\n",
    )
    assert json.loads(shell("export", "deltas", "--model", "Llama-3.2-1B", "--json").stdout)
