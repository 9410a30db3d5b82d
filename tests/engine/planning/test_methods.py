"""Pruning methods are files that say what they are: ours, and those of packages beside prune-tui."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from method_package import METHOD, write_package

from engine.errors import UserError
from engine.planning.methods import broken_methods, find_method, pruning_methods
from engine.planning.plan import RunPlan

RUNS_NOTHING = f"{METHOD}\nraise SystemExit('the code of a method was run')\n"


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_ours_are_the_files_of_a_folder_and_the_default_comes_first():
    found = pruning_methods()
    assert [method.name for method in found] == [
        "maw", "flap", "l2", "maw-data", "obs", "pon", "ppm", "random", "vow", "wanda",
    ]  # fmt: skip
    assert all(method.declared.title and method.declared.formula and method.package is None for method in found)
    assert [method.name for method in found if method.declared.uses_seed] == ["random"]
    assert [method.name for method in found if method.declared.needs_activations] == [
        "flap",
        "maw-data",
        "obs",
        "wanda",
    ]
    assert [method.name for method in found if method.declared.keeps_means] == ["flap"]
    assert broken_methods() == []


def test_another_package_brings_a_method_whose_code_does_not_run(beside: Path):
    write_package(beside, RUNS_NOTHING)
    method = pruning_methods()[-1]
    assert (method.name, method.package, method.module) == ("firsts", "prune-firsts", "brings_firsts")
    assert method.declared.title == "first neurons"
    assert method.declared.citation == "A. Author, *Firsts*, 2026"
    assert find_method("firsts") == method
    assert RunPlan(name="p", model="m", levels=(), tasks=(), method="firsts").method == "firsts"


def test_a_method_deep_in_a_package_is_found_with_none_of_its_packages_run(beside: Path):
    write_package(beside)
    (beside / "outer" / "inner").mkdir(parents=True)
    for folder in ("outer", "outer/inner"):
        (beside / folder / "__init__.py").write_text("raise SystemExit('a package was run')")
    (beside / "brings_firsts.py").rename(beside / "outer/inner/firsts.py")
    entries = next(beside.glob("*.dist-info")) / "entry_points.txt"
    entries.write_text("[prune_tui.pruning_methods]\nfirsts = outer.inner.firsts\n")
    assert find_method("firsts").declared.title == "first neurons"
    assert "outer" not in sys.modules


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("FORMULA = 'f'", "it has no TITLE"),
        ("TITLE = 'first' + str(1)\nFORMULA = 'f'", "malformed node"),
        ("TITLE = 'first'\nFORMULA = 1", "its FORMULA is no str"),
        ("TITLE = 'first'\nFORMULA = 'f'\nNEEDS_ACTIVATIONS = 'yes'", "its NEEDS_ACTIVATIONS is no bool"),
        ("TITLE = (", "'(' was never closed"),
    ],
)
def test_a_method_that_cannot_be_read_is_named_and_leaves_the_others(beside: Path, source: str, why: str):
    write_package(beside, source)
    assert [method.name for method in pruning_methods() if method.package] == []
    (problem,) = broken_methods()
    assert problem.startswith("Pruning method 'firsts' of prune-firsts cannot be used")
    assert why in problem
    with pytest.raises(UserError, match="of prune-firsts cannot be used"):
        find_method("firsts")


def test_a_name_stands_for_one_method(beside: Path):
    write_package(beside)
    write_package(beside, package="prune-others")
    with pytest.raises(UserError, match="of prune-firsts and prune-others cannot be used"):
        find_method("firsts")


def test_no_package_takes_the_name_of_one_of_ours(beside: Path):
    write_package(beside, method="maw")
    assert find_method("maw").package is None
    assert "prune-tui has one of that name" in broken_methods()[0]


def test_a_module_that_is_not_there_is_said(beside: Path):
    write_package(beside)
    (beside / "brings_firsts.py").unlink()
    with pytest.raises(UserError, match="there is no source of a module brings_firsts"):
        find_method("firsts")


def test_an_entry_point_that_names_no_module_is_said(beside: Path):
    write_package(beside)
    next(beside.glob("*.dist-info")).joinpath("entry_points.txt").write_text(
        "[prune_tui.pruning_methods]\nfirsts = brings firsts\n"
    )
    with pytest.raises(UserError, match="brings firsts is no module"):
        find_method("firsts")


def test_a_name_of_two_words_is_a_module_of_two_words():
    assert find_method("maw-data").module == "engine.pruning.methods.maw_data"
    with pytest.raises(UserError, match="no pruning method 'maw_data'"):
        find_method("maw_data")


def test_a_plan_with_a_method_that_needs_activations_is_calibrated(beside: Path):
    write_package(beside, f"{METHOD}\nNEEDS_ACTIVATIONS = True\n")
    assert RunPlan(name="p", model="m", levels=(), tasks=(), method="firsts").is_calibrated
    assert not RunPlan(name="p", model="m", levels=(), tasks=()).is_calibrated


def test_a_method_that_there_is_not_is_refused_with_all_that_there_are():
    with pytest.raises(UserError, match="no pruning method 'mow': choose one of maw, flap, l2, maw-data, obs, pon"):
        find_method("mow")


def test_a_plan_can_be_read_where_its_method_has_gone(beside: Path):
    write_package(beside)
    plan = RunPlan(name="p", model="m", levels=(), tasks=(), method="firsts")
    written = json.loads(json.dumps(plan.to_dict()))
    next(beside.glob("*.dist-info")).joinpath("entry_points.txt").write_text("")
    assert RunPlan.from_dict(written) == plan


def test_help_lists_all_with_their_titles_and_loads_neither_their_code_nor_torch(tmp_path: Path):
    write_package(tmp_path, RUNS_NOTHING)
    code = (
        "import sys; from prune_tui import ours; ours.come_first(); from tui.cli.app import app; "
        "from tui.cli.guard import guarded; guarded(app, ['run', '--help']); "
        "print(sorted({'torch', 'brings_firsts', 'engine.pruning'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "COLUMNS": "500"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "maw (maximum absolute weight), flap (" in done.stdout
    assert "firsts (first neurons)" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
