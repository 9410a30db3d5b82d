"""Writers in processes of their own, and what they said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from . import writers
from .count import Cells


def start(what: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, writers.__file__, what, *map(str, arguments)]
    where = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=where)


def said(process: subprocess.Popen[str]) -> list[list[str]]:
    """What a writer acknowledged; its last line may be torn, and then says nothing."""
    assert process.stdout is not None
    return [json.loads(line) for line in process.stdout if line.endswith("]\n")]


def finish(process: subprocess.Popen[str], *, killed: bool = False) -> list[list[str]]:
    lines = said(process)
    error = process.communicate()[1]
    if process.returncode not in ((0, -signal.SIGKILL) if killed else (0,)):
        raise RuntimeError(f"a writer died of itself: {error}")
    return lines


def acknowledged(lines: list[list[str]]) -> Cells:
    return Counter((run, task) for run, task in lines if run != "refused")
