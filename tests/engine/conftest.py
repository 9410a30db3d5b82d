"""Triton's kernels on a CPU, and benchmarks on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from benchmark_tasks import write_tasks, write_whole_tasks
from reference import SHARED, WITHOUT_SHARED
from template import once

from engine.demo.paths import MODEL_DIR


@pytest.fixture(scope="module")
def interpreted(request: pytest.FixtureRequest, session_folder: Path) -> Any:
    """What the test's own file prints as JSON where Triton's interpreter runs kernels, once for all of xdist's workers.

    Whether it does is decided when Triton is imported: hence a process of its own.
    """
    if find_spec("triton") is None:
        pytest.skip("not tested without Triton: its kernels (pip install -e '.[kernels]', on Linux)")
    environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": str(Path(__file__).parents[2])}

    def make(path: Path) -> None:
        made = subprocess.run([sys.executable, request.path], env=environment, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        path.write_text(made.stdout)

    return json.loads(once(session_folder / f"{request.path.stem}.json", make).read_text())


@dataclass(frozen=True)
class Benchmarks:
    """Where lm-eval's tasks read their rows from disk, and a model to answer them."""

    tasks: Path
    model: Path
    whole: bool


@pytest.fixture(scope="session", params=["tests-data", pytest.param("whole", marks=pytest.mark.slow)])
def benchmarks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Benchmarks:
    """A few rows and the demo model; slow, whole benchmarks and a real model from outside."""
    folder = tmp_path_factory.mktemp("tasks")
    if request.param == "tests-data":
        return Benchmarks(write_tasks(folder), MODEL_DIR, whole=False)
    if not SHARED.is_dir():
        pytest.skip(f"{WITHOUT_SHARED} whole benchmarks, and stories260K, a model that is not ours")
    return Benchmarks(write_whole_tasks(folder, SHARED), SHARED / "data/models/stories260K", whole=True)
