"""Data that several tests share: benchmark rows and a small real model, from a folder beside the repository."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

import pytest

# The models here are tiny: more threads only get into each other's way. Set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"


WAITING = ("tui", "engine/worker/test_runs.py", "engine/test_launch.py", "warehouse/test_merge.py")
"""Tests that wait for threads, timers and processes, on whatever machine they run on."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What was late once, on a machine that was busy, is looked at again; what is wrong stays wrong."""
    here = Path(__file__).parent
    for item in items:
        if any(item.path.is_relative_to(here / place) for place in WAITING):
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real benchmark data, a small model and the published study."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the reference data in {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def real_tasks(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of lm-eval task files that read real benchmark rows from disk instead of the hub."""
    folder = tmp_path_factory.mktemp("real-tasks")
    script = shared / "data" / "make_tasks.py"
    argv, sys.argv = sys.argv, [str(script), str(folder)]
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        sys.argv = argv
    return folder


@pytest.fixture(scope="session")
def stories_model(shared: Path) -> Path:
    """A real Llama-style model of 260 032 parameters, trained on TinyStories."""
    return shared / "data" / "models" / "stories260K"
