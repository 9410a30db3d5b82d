"""Hostile databases and bundles: all that benchmarks/attack_files.py tries."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "attack_files.py"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_attack_is_held(tmp_path):
    spec = importlib.util.spec_from_file_location("attack_files", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["attack_files"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = dict(module.attacks(tmp_path))
    assert {attack: problem for attack, problem in found.items() if problem} == {}
    assert len(found) > 50
