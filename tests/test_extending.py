"""What docs/extending.md adds works as it stands there: one new file each, found by its door."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packages import Packages

from prune_tui.ours import FOLDER as ROOT
from warehouse.exporters.exporter import exporters
from warehouse.importers.registry import listed
from warehouse.stats.metrics import metrics

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def blocks(title: str, language: str = "python") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", SECTIONS[title], re.M | re.S)


def new_file(title: str) -> tuple[str, str]:
    """The path in a section's first line of code, and the file that is to lie there."""
    text = blocks(title)[0]
    return text.partition("\n")[0].removeprefix("# "), text


def run(title: str) -> None:
    """What the section does with its new file."""
    for number, code in enumerate(blocks(title)[1:], 1):
        exec(compile(code, f"<{title}, example {number}>", "exec"), {"__name__": "__main__"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user-data"))
    return tmp_path


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    packages = Packages(tmp_path / "others", monkeypatch)
    yield packages
    packages.forget()


@pytest.fixture
def in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is added lies in its package for this test alone."""
    yield
    for name in [name for name, module in sys.modules.items() if _is_in(tmp_path, module)]:
        del sys.modules[name]
    monkeypatch.undo()
    metrics.cache_clear()
    exporters.cache_clear()


def _is_in(folder: Path, module: object) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).is_relative_to(folder)


def add(title: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, text = new_file(title)
    assert not (ROOT / path).exists()
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_text(text, encoding="utf-8")
    package = importlib.import_module(path.rpartition("/")[0].replace("/", "."))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str((folder / path).parent)])
    metrics.cache_clear()
    exporters.cache_clear()


def install_importer(others: Packages) -> None:
    path, text = new_file("An importer")
    [declared] = blocks("An importer", "toml")
    [(group, entries)] = tomllib.loads(declared)["project"]["entry-points"].items()
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    others.add("prune-tui-ledger", {path: text}, f"[{group}]\n{lines}", "Ledgers of any year")


@pytest.mark.parametrize("title", ["A metric", "An importer", "An export format", "A screen of the dashboard"])
def test_what_is_added_is_one_file(title: str):
    assert [text.startswith("# ") for text in blocks(title)] == [True, False]


def test_a_metric(folder: Path, in_place: None, monkeypatch: pytest.MonkeyPatch):
    assert "rmse" not in metrics()
    add("A metric", folder, monkeypatch)
    run("A metric")


@pytest.mark.slow
def test_an_importer_of_another_package(folder: Path, others: Packages):
    install_importer(others)
    run("An importer")
    assert others.loaded() == {"ledger_importer"}


def test_an_export_format(folder: Path, others: Packages, in_place: None, monkeypatch: pytest.MonkeyPatch):
    install_importer(others)
    run("An importer")
    add("An export format", folder, monkeypatch)
    run("An export format")


# The dashboard's keys are settled when it is imported, so this takes a process of its own.
_WITH_ENTRIES = """
import sys
sys.path.insert(0, sys.argv[1])
import tui.entries
tui.entries.__path__.append(sys.argv[2])
exec(sys.argv[3])
"""


@pytest.mark.slow
def test_a_screen(folder: Path, others: Packages):
    install_importer(others)
    run("An importer")
    path, text = new_file("A screen of the dashboard")
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_text(text, encoding="utf-8")
    arguments = [str(ROOT), str((folder / path).parent), blocks("A screen of the dashboard")[1]]
    command = [sys.executable, "-c", _WITH_ENTRIES, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
async def test_the_dashboard_never_loads_another_packages_code(folder: Path, others: Packages, study: Path):
    from tui.app import Dashboard
    from tui.screens import SCREENS

    install_importer(others)
    async with Dashboard(study).run_test() as pilot:
        for entry in SCREENS:
            await pilot.press(entry.key)
            await pilot.pause()
        assert "ledger" in {kind.name for kind in listed()}
    assert others.loaded() == set()
