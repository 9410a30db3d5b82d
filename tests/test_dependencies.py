"""What is imported is declared, and what reads results needs none of what measures."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.planning import model_stack

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGE = (ROOT / "docs" / "adr" / "0004-without-torch.md").read_text(encoding="utf-8")
MEASURING = {
    "datasets", "huggingface-hub", "jinja2", "lm-eval", "pyyaml", "requests", "safetensors", "tokenizers", "torch",
    "transformers",
}  # fmt: skip
OURS = {"prune_tui", "tui", "engine", "warehouse"}

# Finders that do not find what is not installed.
WITHOUT = f"""
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in {sorted(model_stack.PACKAGES)!r}:
            return self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> dict[str, set[str]]:
    """The distributions of each extra; those of everybody under ""."""
    groups = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    return {
        extra: {normal(re.split(r"[<>=!;\[ ]", line, maxsplit=1)[0]) for line in lines}
        for extra, lines in groups.items()
    }


def imported() -> set[str]:
    """Top-level names that our files import, ours and Python's own left out."""
    names = set()
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - OURS


def test_what_is_imported_is_declared():
    owners = packages_distributions()
    allowed = set[str]().union(*(lines for extra, lines in declared().items() if extra != "test"))
    strangers = {name for name in imported() if not {normal(owner) for owner in owners.get(name, [])} & allowed}
    assert strangers - {"triton"} == set()  # an extra that the README's test command leaves out


def test_the_page_names_everything_that_reading_results_needs():
    (command,) = re.findall(r"^pip install (?!--no-deps)([^\n]+)$", PAGE, re.M)
    assert set(command.split()) == declared()[""] - MEASURING


@pytest.fixture
def without(tmp_path: Path) -> dict[str, str]:
    """An environment in which what measures is not installed, for children as well."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    return os.environ | {"PYTHONPATH": str(tmp_path), "COLUMNS": "200"}


def asked(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "prune_tui", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_results_are_read_without_what_measures(without: dict[str, str], tmp_path: Path):
    assert asked(without, tmp_path, "import", "published").returncode == 0
    assert "352" in asked(without, tmp_path, "sql", "select count(*) from metrics").stdout
    table = asked(without, tmp_path, "export", "deltas", "--model", "Llama-3.2-1B").stdout
    assert table.startswith("### meta-llama/Llama-3.2-1B, pruned with MAW")
    assert "imported (published)" in asked(without, tmp_path, "runs").stdout
    assert "supported" in asked(without, tmp_path, "claims").stdout
    told = asked(without, tmp_path, "doctor")
    assert "not installed: torch, transformers, lm-eval" in told.stdout
    assert "Traceback" not in told.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [["demo"], ["run", "demo", "--tasks", "demo_sums"], ["save", "demo", "--level", "40", "--to", "x"]],
    ids=" ".join,
)
def test_measuring_without_it_is_one_sentence(without: dict[str, str], tmp_path: Path, arguments: list[str]):
    told = asked(without, tmp_path, *arguments)
    assert told.returncode == 2
    (line,) = told.stderr.splitlines()
    assert line.startswith("prune-tui: This installation of prune-tui reads results and measures nothing: torch, ")
    assert "`pip install prune-tui`" in line
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"sitecustomize.py"}


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(model_stack, "find_spec", lambda name: None if name in ("lm_eval",) else object())
    assert model_stack.missing() == ["lm-eval"]
    with pytest.raises(UserError, match=r"measures nothing: lm-eval is not installed"):
        model_stack.require()
