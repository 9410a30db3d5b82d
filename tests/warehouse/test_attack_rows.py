"""Rows changed by hand, journals changed after their merge: all that benchmarks/attack_rows.py tries."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "attack_rows.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("attack_rows", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["attack_rows"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(("part", "least"), [("rows", 150), ("journals", 40)])
def test_every_change_is_noticed(script, part, least, tmp_path):
    found = dict(getattr(script, part)(tmp_path))
    assert {what: problem for what, problem in found.items() if problem} == {}
    assert len(found) >= least
