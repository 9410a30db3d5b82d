"""The wheel carries everything, and works where there is nothing else."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # A build environment of its own needs a package index; an installed hatchling does as well.
    isolation = [] if importlib.util.find_spec("hatchling") is None else ["--no-build-isolation"]
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", *isolation, "--wheel-dir", str(folder), str(ROOT)],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if built.returncode != 0 and "No matching distribution found for hatchling" in built.stderr:
        pytest.skip("building a wheel needs hatchling, which is neither installed nor to be had from a package index")
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("prune_tui-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder with the wheel unpacked in `site`; dependencies come from the environment of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(folder / "site"), str(wheel)],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def run(installed: Path, *command: str) -> subprocess.CompletedProcess[str]:
    work = installed / "work"
    work.mkdir(exist_ok=True)
    environment = os.environ | {"PYTHONPATH": str(installed / "site"), "PYTHONSAFEPATH": "1"}
    return subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=300)


def tracked(*folders: str) -> set[str]:
    """The files of the repository that are ours to ship."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_has_every_file_of_every_package(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == tracked("tui", "engine", "warehouse", "sql")
    for needed in (
        "sql/migrations/0001_facts.sql",
        "engine/demo/model/model.safetensors",
        "tui/recordings/demo/journal.jsonl",
        "tui/web/page.js",
    ):
        assert needed in names
    for suffix in (".sql", ".yaml", ".csv", ".tcss"):
        assert any(name.endswith(suffix) for name in names), suffix


def test_the_wheel_is_small_enough_to_ship(wheel: Path):
    assert wheel.stat().st_size < 10 * 2**20


def test_installed_from_the_wheel_the_commands_work(installed: Path):
    where = run(installed, sys.executable, "-c", "import tui, engine, warehouse, sql; print(sql.__path__)")
    assert str(installed / "site") in where.stdout
    command = str(installed / "site" / "bin" / "prune-tui")
    helped = run(installed, command, "--help")
    assert helped.returncode == 0, helped.stderr
    assert "Usage: prune-tui" in helped.stdout
    imported = run(installed, command, "import", "published")
    assert imported.returncode == 0, imported.stderr
    asked = run(installed, command, "sql", "select count(*) as n from baseline_deltas", "--format", "json")
    assert json.loads(asked.stdout)[0]["n"] > 0


def test_installed_from_the_wheel_the_demo_runs(installed: Path):
    command = str(installed / "site" / "bin" / "prune-tui")
    done = run(installed, command, "demo", "--levels", "0,60", "--db", "demo.duckdb")
    assert done.returncode == 0, done.stderr
    assert "demo_story" in done.stdout
