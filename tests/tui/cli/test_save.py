"""Saving a level from the command line; what is saved, and that it equals the reference, is tested with pruning."""

from __future__ import annotations

import json
from pathlib import Path


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
