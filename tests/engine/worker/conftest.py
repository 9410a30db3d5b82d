"""Triton's kernels on a CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def interpreted(request: pytest.FixtureRequest) -> Any:
    """What the test's own file prints as JSON where Triton's interpreter runs kernels.

    Whether it does is decided when Triton is imported: hence a process of its own.
    """
    if find_spec("triton") is None:
        pytest.skip("Triton is not installed: it exists for Linux only")
    environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": str(Path(__file__).parents[3])}
    made = subprocess.run([sys.executable, request.path], env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)
