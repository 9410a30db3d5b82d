"""Saving a level from the command line; what is saved, and that it equals the reference, is tested with pruning."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import PIPE, CompletedProcess
from types import SimpleNamespace
from typing import Any

import pytest

from engine.runs.rundir import RunDir
from tui.cli import save as saving
from tui.cli.app import app
from tui.cli.guard import guarded
from warehouse.records.facts import CalibrationFacts
from warehouse.store.journal import Journal


def test_a_level_is_saved_with_its_config_and_card(shell):
    done = shell("save", "demo", "--level", "40", "--to", "out", "--json")
    assert done.returncode == 0, done.stderr
    saved = json.loads(done.stdout)
    folder = Path(saved["path"])
    assert folder == shell.cwd / "out"
    config = json.loads((folder / "config.json").read_text())
    assert config["intermediate_size"] == saved["intermediate_size"] == 308
    assert (folder / "model.safetensors").stat().st_size > 0
    assert "MAW" in (folder / "README.md").read_text()
    again = shell("save", "demo", "--level", "40", "--to", "out")
    assert again.returncode == 2
    assert "not empty" in again.stderr
    assert len(again.stderr.splitlines()) == 1


def test_a_model_that_is_not_there_is_one_sentence(shell):
    (shell.cwd / "empty").mkdir()
    done = shell("save", "./empty", "--level", "40", "--to", "out")
    assert done.returncode == 2
    assert "config.json" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (shell.cwd / "out").exists()


def test_latest_is_the_latest_run_that_a_level_can_be_saved_like(
    fake: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    requests: list[dict[str, Any]] = []

    def saved(command: list[str], **_: Any) -> CompletedProcess[str]:
        requests.append(json.loads(command[-1]))
        return CompletedProcess(command, 0, json.dumps({"intermediate_size": 60, "stored_size": 60, "gguf": None}))

    for model, method in (("org/tiny", "l2"), ("org/tiny", "maw"), ("org/tiny", "obs"), ("org/other", "l2")):
        words = ("--levels", "0,40", "--tasks", "piqa", "--method", method, "--no-start")
        assert fake("run", model, *words).returncode == 0
    monkeypatch.setattr(saving, "subprocess", SimpleNamespace(run=saved, PIPE=PIPE))
    database = str(fake.cwd / "results.duckdb")
    save = ["save", "org/tiny", "--level", "40", "--to", "out", "--like", "latest", "--db", database]
    assert guarded(app, save) == 0
    assert guarded(app, [*save, "--method", "l2"]) == 0
    capsys.readouterr()
    assert guarded(app, [*save, "--method", "ppm"]) == 2
    [said] = capsys.readouterr().err.splitlines()
    assert "--like latest: no run of results.duckdb will do. The latest: --method ppm is not what run" in said
    assert fake.runs[-1].name in said
    text = CalibrationFacts(source="self", tokens=8, length=8, seed=0, hash="0" * 64, path="calibration.npz")
    journal = Journal(RunDir(fake.runs[2]).journal_path)
    journal.append(text)  # from here on a level can be saved on the same text
    journal.close()
    assert guarded(app, save) == 0
    assert [(one["method"], Path(one["like"]).name if "like" in one else None) for one in requests] == [
        ("maw", None), ("l2", None), ("obs", fake.runs[2].name),
    ]  # fmt: skip
