"""What docs/tutorial.md does in an afternoon works as it stands there, from its first command to its last."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shown_commands import blocks

from prune_tui.ours import FOLDER

SERVED = Path(__file__).parents[2] / "support" / "served.py"
PAGE = (FOLDER / "docs" / "tutorial.md").read_text(encoding="utf-8")


def test_all_but_the_installing_is_run():
    assert [block.text.split()[0] for block in blocks(PAGE) if not block.is_run] == ["python3"]


@pytest.mark.slow
def test_the_afternoon(tmp_path: Path):
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    command = bin_ / "prune-tui"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{SERVED}" "$@"\n')
    command.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PRUNE_TUI")}
    script = "".join(block.text for block in blocks(PAGE) if block.is_run)
    script = script.replace("doctor --json", "doctor --json || [ $? = 1 ]")  # nothing is promised of this machine
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", script],
        cwd=tmp_path, env=environment | {"PATH": f"{bin_}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=550,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert "demo_sums" in (tmp_path / "table.md").read_text(encoding="utf-8")
    assert (tmp_path / "my-model-40" / "prune_tui.json").is_file()
    assert (tmp_path / "my-model.bundle").is_file()
