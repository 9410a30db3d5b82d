"""Imports go one way, and only worker processes load the model stack."""

from __future__ import annotations

import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "transformers", "lm_eval", "datasets")
WORKER_ONLY = (
    "engine.worker", "engine.calibration", "engine.evaluation", "engine.inference", "engine.overrides",
    "engine.pruning",
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
    [["--help"], ["--version"], ["run", "--help"], ["runs"], ["runs", "--json"], ["sql", "select 1"], ["merge"]],
    ids=" ".join,
)
def test_a_command_that_needs_no_model_loads_no_model_stack(arguments: list[str], tmp_path: Path):
    assert loaded_after(CALL, *arguments, cwd=tmp_path) == ""


def test_help_needs_neither_database_nor_display_libraries(tmp_path: Path):
    statement = "import tui.cli.app; print(*(set(sys.modules) & {'duckdb', 'polars', 'rich.live', 'huggingface_hub'}))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {statement}"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.slow
def test_importing_any_module_outside_the_worker_loads_no_model_stack(tmp_path: Path):
    modules = light_modules()
    assert {"tui.cli.app", "engine.planning.plan", "warehouse.store.journal"} <= set(modules)
    assert loaded_after(f"import importlib\nfor name in {modules!r}: importlib.import_module(name)", cwd=tmp_path) == ""
