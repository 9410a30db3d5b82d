"""The how-tos that need neither a network nor a GPU, carried out as they stand."""

from __future__ import annotations

import re
import shutil

import pytest
from shown_commands import blocks

from prune_tui.ours import FOLDER


def page(name: str) -> str:
    return (FOLDER / "docs" / "how-to" / name).read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_task_of_ones_own_is_measured(shell):
    text = page("own-task.md")
    [task] = re.findall(r"```yaml\n# my-tasks/capitals.yaml\n(.*?)```", text, re.S)
    [documents] = re.findall(r"```json\n(.*?)```", text, re.S)
    (shell.cwd / "my-tasks").mkdir()
    (shell.cwd / "my-tasks/capitals.yaml").write_text(task)
    (shell.cwd / "my-tasks/capitals.jsonl").write_text(documents)
    done = shell("run", "demo", "--levels", "0,40", "--tasks", "capitals", "--include-path", "my-tasks", "--plain")
    assert done.returncode == 0, done.stderr
    assert "capitals" in done.stdout


@pytest.mark.slow
def test_a_database_is_made_anew_from_a_copy_of_its_journals(fake):
    [commands] = [block.text for block in blocks(page("move-and-back-up.md")) if "rsync -a results.runs/" in block.text]
    assert "prune-tui merge --db backup/results.duckdb" in commands
    assert fake("run", "org/tiny", "--levels", "0,40", "--tasks", "piqa").returncode == 0
    shutil.copytree(fake.cwd / "results.runs", fake.cwd / "backup/results.runs")
    done = fake("merge", "--db", "backup/results.duckdb")
    assert done.returncode == 0, done.stderr
    counted = ("sql", "select count(*) as n from metrics", "--format", "csv")
    assert fake(*counted, "--db", "backup/results.duckdb").stdout == fake(*counted).stdout != "n\n0\n"


def test_a_run_is_deleted_once_that_is_said(fake):
    assert fake("run", "org/tiny", "--levels", "0,40", "--tasks", "piqa", "--name", "old-run").returncode == 0
    assert fake("delete", "old-run").returncode == 2
    assert fake.runs
    assert fake("delete", "old-run", "--yes").returncode == 0
    assert not fake.runs
