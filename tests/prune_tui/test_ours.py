"""Our packages are found where ours lie, and nothing else is looked up there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from prune_tui import ours
from warehouse.processes import module_command

DECOYS = ("tui", "engine", "warehouse", "sql")


@pytest.fixture
def decoys(tmp_path: Path) -> Path:
    """A folder with a package of each name, none of them ours."""
    for name in DECOYS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong package')")
    return tmp_path


@pytest.mark.parametrize("name", sorted(ours.NAMES))
def test_each_of_our_names_is_found_where_ours_lie(name: str, decoys: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(decoys))
    spec = ours.OurPackages().find_spec(name, None)
    assert spec is not None
    assert spec.origin == str(ours.FOLDER / name / "__init__.py")


@pytest.mark.parametrize("name", ["sql", "json", "engines", "engine.planning.plan", "prune_tui"])
def test_other_names_are_left_to_others(name: str):
    assert ours.OurPackages().find_spec(name, None) is None


def test_coming_first_twice_is_coming_first_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    ours.come_first()
    ours.come_first()
    assert [type(finder) for finder in sys.meta_path].count(ours.OurPackages) == 1


def test_our_processes_find_our_packages_where_the_folder_and_the_path_have_others(
    decoys: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONPATH", ".")
    done = subprocess.run(module_command("engine.planning.suites"), cwd=decoys, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
