"""Imports go one way, and only worker processes load the model stack."""

from __future__ import annotations

import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cases import one_in

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "transformers", "lm_eval", "datasets")
WORKER_ONLY = (
    "engine.worker", "engine.calibration", "engine.evaluation", "engine.inference", "engine.overrides",
    "engine.profile", "engine.pruning",
)  # fmt: skip

# Prints which of the heavy packages are loaded after the statement given as its argument.
PROBE = f"""
import sys
try:
    exec(sys.argv.pop(1))
finally:
    print("loaded:", *sorted(set(sys.modules) & set({HEAVY!r})), file=sys.__stdout__)
"""

CALL = "import tui.cli; sys.argv[0] = 'prune-tui'; tui.cli.main()"


def loaded_after(statement: str, *arguments: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, statement, *arguments], capture_output=True, text=True, cwd=cwd, timeout=120
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.splitlines()[-1].removeprefix("loaded:").strip()


def light_modules() -> list[str]:
    """Every module of ours but those that only worker processes run."""
    found = []
    for package in ("tui", "engine", "warehouse"):
        walked = pkgutil.walk_packages([str(ROOT / package)], f"{package}.", onerror=lambda name: None)
        found += [package, *(module.name for module in walked)]
    return [name for name in found if not f"{name}.".startswith(tuple(f"{only}." for only in WORKER_ONLY))]


def test_the_contracts_on_imports_hold():
    lint = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert lint is not None, "import-linter is not installed: pip install -e '.[test]'"
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_probe_sees_a_heavy_import():
    assert "torch" in loaded_after("import torch").split()


@pytest.mark.parametrize(
    "arguments",
    one_in(
        3, [["run", "--help"], ["--version"], ["--help"], ["merge"], ["runs", "--json"], ["sql", "select 1"], ["runs"]]
    ),
    ids=" ".join,
)
def test_a_command_that_needs_no_model_loads_no_model_stack(arguments: list[str], tmp_path: Path):
    assert loaded_after(CALL, *arguments, cwd=tmp_path) == ""


# What a command may not load: each is a tenth of a second or more that somebody waits for at each start.
SLOW_TO_LOAD = ("duckdb", "polars", "pyarrow", "numpy", "textual", "pydantic", "rich.live", "huggingface_hub")


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], set()),
        pytest.param(["run", "--help"], set(), marks=pytest.mark.slow),
        (["runs"], {"duckdb"}),  # imports are in the database alone
        (["sql", "select 1"], set()),  # but for a file that is missing or must be mended, which another test asks
        pytest.param(["export", "deltas", "--model", "1B"], {"duckdb"}, marks=pytest.mark.slow),
        (["run", "./nowhere", "--tasks", "demo_grammar"], set()),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_command_loads_what_it_needs(arguments: list[str], allowed: set[str], study: Path, tmp_path: Path):
    loaded = _loaded(SLOW_TO_LOAD, *arguments, database=study, cwd=tmp_path)
    assert loaded <= allowed


def test_a_command_loads_no_other_command(study: Path, tmp_path: Path):
    others = ("tui.cli.run", "tui.cli.session", "tui.cli.export", "warehouse.records.events", "rich.table")
    assert _loaded(others, "sql", "select 1", database=study, cwd=tmp_path) == set()


def _loaded(names: tuple[str, ...], *arguments: str, database: Path, cwd: Path) -> set[str]:
    """Which of the modules a command loads on a database that was compared before: a copy of this one."""
    database = Path(shutil.copy(database, cwd))
    probe = PROBE.replace(repr(HEAVY), repr(names))
    known = [sys.executable, "-c", "import sys; from pathlib import Path; from warehouse.store.db import open_write\n"
             "with open_write(Path(sys.argv[1])): pass", str(database)]  # fmt: skip
    subprocess.run(known, check=True, cwd=cwd, timeout=120)
    done = subprocess.run(
        [sys.executable, "-c", probe, CALL, *arguments],
        capture_output=True, text=True, cwd=cwd, env=os.environ | {"PRUNE_TUI_DB": str(database)}, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return set(done.stdout.splitlines()[-1].removeprefix("loaded:").split())


@pytest.mark.slow
def test_importing_any_module_outside_the_worker_loads_no_model_stack(tmp_path: Path):
    modules = light_modules()
    assert {"tui.cli.app", "engine.planning.plan", "warehouse.store.journal"} <= set(modules)
    assert loaded_after(f"import importlib\nfor name in {modules!r}: importlib.import_module(name)", cwd=tmp_path) == ""
