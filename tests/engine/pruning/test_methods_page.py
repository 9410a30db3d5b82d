"""docs/methods.md has a section for each method, and for each repair."""

from __future__ import annotations

import re
from pathlib import Path

from engine.planning.calibration import REPAIRS
from engine.planning.methods import pruning_methods

PAGE = (Path(__file__).parents[3] / "docs" / "methods.md").read_text(encoding="utf-8")


def test_each_method_has_a_section():
    ours = [method.name for method in pruning_methods() if method.package is None]
    assert sorted(re.findall(r"^### (.+)$", PAGE, re.M)) == sorted(ours)


def test_a_method_is_where_it_belongs():
    seen = PAGE.partition("## Methods that look at what neurons do")[2].partition("\n## ")[0]
    calibrated = {method.name for method in pruning_methods() if method.declared.needs_activations}
    assert set(re.findall(r"^### (.+)$", seen, re.M)) == calibrated


def test_each_repair_is_explained():
    assert all(f"`--repair {name}`" in PAGE for name in REPAIRS)
