"""The wheel carries everything, and works where there is nothing else."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from template import once

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("tui", "engine", "warehouse", "sql")
# A build environment of its own needs a package index; an installed hatchling does as well.
ISOLATION = [] if importlib.util.find_spec("hatchling") is None else ["--no-build-isolation"]


@pytest.fixture(scope="module")
def wheel(session_folder: Path) -> Path:
    """Built once for all of xdist's workers."""
    folder = once(session_folder / "wheel", _build)
    if (skipped := folder / "skipped").exists():
        pytest.skip(skipped.read_text())
    (found,) = folder.glob("prune_tui-*.whl")
    return found


def _build(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", *ISOLATION, "--wheel-dir", str(folder), str(ROOT)],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if built.returncode != 0 and "No matching distribution found for hatchling" in built.stderr:
        said = "building a wheel needs hatchling, which is neither installed nor to be had from a package index"
        (folder / "skipped").write_text(said)
        return
    assert built.returncode == 0, built.stdout + built.stderr


@dataclass(frozen=True)
class Installed:
    """An environment of its own that has prune-tui; what prune-tui needs comes from the environment of the tests."""

    folder: Path
    work: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")} | self.more
        command = [str(self.folder / "bin" / words[0]), *words[1:]]
        return subprocess.run(command, cwd=self.work, env=environment, capture_output=True, text=True, timeout=300)


def install(folder: Path, *what: str) -> Installed:
    venv.create(folder / "environment", with_pip=False, symlinks=True)
    (folder / "work").mkdir()
    installed = Installed(folder / "environment", folder / "work")
    (installed.packages / "zz_tests.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})")
    pip = [sys.executable, "-m", "pip", "--python", str(installed.folder / "bin" / "python"), "install"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-compile", "--ignore-installed", *what], capture_output=True, text=True, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return installed


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(tmp_path_factory.mktemp("installed"), str(wheel))


@pytest.fixture(scope="module", params=["wheel", "editable"])
def beside(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Installed beside a distribution that has a package of each name, in a folder that has one as well."""
    wheel: Path = request.getfixturevalue("wheel")  # says whether one can be built here at all
    what = [str(wheel)] if request.param == "wheel" else [*ISOLATION, "-e", str(ROOT)]
    installed = install(tmp_path_factory.mktemp(request.param), *what)
    for place in (installed.packages, installed.work):
        for name in NAMES:
            (place / name).mkdir()
            (place / name / "__init__.py").write_text("raise SystemExit('the wrong package')")
    return Installed(installed.folder, installed.work, {"PYTHONPATH": "."})


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
    assert names == tracked("prune_tui") | {f"prune_tui/{name}" for name in tracked(*NAMES)}
    for needed in (
        "prune_tui/py.typed",
        "prune_tui/sql/migrations/0001_facts.sql",
        "prune_tui/engine/demo/model/model.safetensors",
        "prune_tui/tui/runs/recordings/demo/journal.jsonl",
        "prune_tui/tui/serve/web/page.js",
    ):
        assert needed in names
    demo = {name.removeprefix("prune_tui/engine/demo/") for name in names if "/engine/demo/" in name}
    assert {name for name in demo if name.endswith(".py")} == {"__init__.py", "paths.py", "tasks/documents.py"}
    for suffix in (".sql", ".yaml", ".csv", ".tcss"):
        assert any(name.endswith(suffix) for name in names), suffix


def test_the_wheel_is_small_enough_to_ship(wheel: Path):
    assert wheel.stat().st_size < 10 * 2**20


def test_the_wheel_puts_nothing_where_another_distribution_may(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        assert {name.split("/")[0] for name in archive.namelist() if ".dist-info/" not in name} == {"prune_tui"}


def test_a_package_index_gets_a_page_without_links_into_the_repository(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        about, _, page = archive.read(name).decode().partition("\n\n")
    assert "Author: prune-tui developers" in about
    assert "Classifier: Typing :: Typed" in about
    assert page.startswith("# prune-tui")
    assert all(link.startswith("https://") for link in re.findall(r"\]\(([^)]+)\)", page))


def test_installed_from_the_wheel_the_commands_work(installed: Installed):
    where = installed.run("python", "-c", "import prune_tui; print(prune_tui.__file__)")
    assert where.stdout.strip() == str(installed.packages / "prune_tui" / "__init__.py"), where.stderr
    helped = installed.run("prune-tui", "--help")
    assert helped.returncode == 0, helped.stderr
    assert "Usage: prune-tui" in helped.stdout
    assert installed.run("python", "-m", "prune_tui", "--help").stdout == helped.stdout
    assert_figures_can_be_asked_for(installed)


def test_installed_from_the_wheel_the_demo_runs(installed: Installed):
    assert_the_demo_runs(installed)


def test_beside_packages_of_the_same_names_the_commands_work(beside: Installed):
    assert beside.run("python", "-c", "import engine").stderr.strip() == "the wrong package"
    where = beside.run("python", "-c", "from prune_tui import ours; print(ours.FOLDER)").stdout.strip()
    assert where == str(beside.packages / "prune_tui" if "wheel" in beside.folder.parent.name else ROOT)
    assert_figures_can_be_asked_for(beside)
    code = "from prune_tui import Warehouse; print(Warehouse().sql('select 1 as one').item())"
    assert beside.run("python", "-c", code).stdout.strip() == "1"


def test_beside_packages_of_the_same_names_the_demo_runs(beside: Installed):
    assert_the_demo_runs(beside)


def assert_figures_can_be_asked_for(installed: Installed) -> None:
    """From a file of ours, and by the process that runs anybody's SQL."""
    imported = installed.run("prune-tui", "import", "published")
    assert imported.returncode == 0, imported.stderr
    asked = installed.run("prune-tui", "sql", "select count(*) as n from baseline_deltas", "--format", "json")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)[0]["n"] > 0


def assert_the_demo_runs(installed: Installed) -> None:
    done = installed.run("prune-tui", "demo", "--levels", "0,60", "--db", "demo.duckdb")
    assert done.returncode == 0, done.stderr
    assert "demo_story" in done.stdout
