"""Every architecture that transformers knows gets lm-eval's scores, short and long requests together, or a sentence."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

_FILE = Path(__file__).parents[3] / "benchmarks" / "architectures.py"
spec = importlib.util.spec_from_file_location("architectures", _FILE)
assert spec is not None
assert spec.loader is not None
architectures: Any = importlib.util.module_from_spec(spec)
sys.modules["architectures"] = architectures  # its dataclass looks itself up
spec.loader.exec_module(architectures)

HANDFUL = ("phi3", "minicpm3", "doge, few keys kept", "granite_swa", "mixtral")
GLU = [name for name in architectures.MODELS if name not in architectures.WITHOUT_GLU]


@pytest.mark.parametrize("name", HANDFUL)
def test_of_a_handful(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in architectures.MODELS if name not in HANDFUL])
def test_of_all(name: str) -> None:
    check(name)


def check(name: str) -> None:
    outcome = architectures.compare(name)
    if name in architectures.WITHOUT_GLU:
        assert outcome.refused is not None
        assert "\n" not in outcome.refused
    else:
        assert outcome.is_equal, outcome


def test_they_are_many() -> None:
    assert len({architectures.MODELS[name][0] for name in GLU}) >= 45
