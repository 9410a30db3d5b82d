"""benchmarks/attack_runs.py, with few kills: whatever befalls runs, nothing else is read than what was written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "attack_runs.py"
FEW_KILLS = ("kills", "--kills", "8", "--workers", "2")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("part", "tried"), [(FEW_KILLS, 8), (("lines",), 41), (("numbers",), 20), (("together",), 10)])
def test_every_attack_on_runs_is_held(part: tuple[str, ...], tried: int) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), *part], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"\n{tried} tried, {tried} held." in done.stdout
