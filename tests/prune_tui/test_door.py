"""`import prune_tui`: what it offers, where that lives, and what importing it costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import prune_tui
from prune_tui import _HOMES, ours

HEAVY = ("torch", "transformers", "lm_eval", "datasets", "textual", "duckdb", "polars", "typer", "rich")
MODULES = sorted(
    path for package in ("engine", "tui", "warehouse", "prune_tui") for path in (ours.FOLDER / package).rglob("*.py")
)


def source(name: str) -> ast.Module:
    return ast.parse((ours.FOLDER / (name.replace(".", "/") + ".py")).read_text(encoding="utf-8"))


def own_name(name: str) -> tuple[str, str]:
    module, _, other = _HOMES[name].partition(":")
    return module, other or name


def definition(name: str) -> ast.stmt:
    """What a public name is, found where it is said to live, without importing that."""
    module, wanted = own_name(name)
    for statement in source(module).body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef) and statement.name == wanted:
            return statement
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == wanted:
            return statement
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == wanted:
            return statement
    raise AssertionError(f"{module} defines no {wanted}")


def documented(name: str) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef]]:
    """A public class or function, and a class's public methods that are its own."""
    found = definition(name)
    if isinstance(found, ast.FunctionDef | ast.ClassDef):
        yield name, found
    if isinstance(found, ast.ClassDef) and _HOMES[name].startswith("prune_tui."):
        for part in found.body:
            if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                yield f"{name}.{part.name}", part


def loaded_after(statement: str) -> list[str]:
    code = f"import sys\n{statement}\nprint(*sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ours.FOLDER, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_all_is_what_the_module_offers_and_what_types_see():
    (for_types,) = [part for part in ast.parse(Path(prune_tui.__file__).read_text()).body if isinstance(part, ast.If)]
    imported = {
        alias.asname or alias.name: f"{part.module}{f':{alias.name}' if alias.asname else ''}"
        for part in for_types.body
        if isinstance(part, ast.ImportFrom)
        for alias in part.names
    }
    assert imported == _HOMES
    assert sorted(prune_tui.__all__) == sorted(_HOMES)
    assert set(prune_tui.__all__) <= set(dir(prune_tui))


def test_nothing_public_is_in_the_module_that_all_does_not_name():
    public = {
        name
        for name, value in vars(prune_tui).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert public <= {*prune_tui.__all__, "annotations", "import_module", "TYPE_CHECKING", "Any"}


@pytest.mark.parametrize("name", sorted(_HOMES))
def test_each_name_is_defined_where_it_is_said_to_live(name: str):
    definition(name)


@pytest.mark.parametrize("name", ["RunPlan", "Warehouse", "plan_run", "METHODS", "UserError", "DEMO_TASKS"])
def test_a_name_is_the_one_that_the_program_itself_uses(name: str):
    module, wanted = own_name(name)
    assert getattr(prune_tui, name) is getattr(sys.modules[module], wanted)


def test_a_name_that_there_is_not_is_an_ordinary_attribute_error():
    with pytest.raises(AttributeError, match="module 'prune_tui' has no attribute 'prun'"):
        prune_tui.prun  # noqa: B018
    with pytest.raises(ImportError):
        from prune_tui import prun  # type: ignore[attr-defined]  # noqa: F401


def test_every_class_function_and_method_that_is_offered_has_a_docstring():
    trivial = {"Run.run_id", "Run.plan"}  # named after what they are
    without = {where for name in _HOMES for where, part in documented(name) if not ast.get_docstring(part)}
    assert without <= trivial


@pytest.mark.parametrize("name", ["load_model", "plan_run", "prune", "save", "start_run", "find_run", "Warehouse"])
def test_what_can_go_wrong_is_said(name: str):
    assert "UserError" in str(ast.get_docstring(dict(documented(name))[name]))  # type: ignore[arg-type]


def test_the_drawn_tree_of_errors_is_the_tree_of_errors():
    bases = {
        name: set(of.split(", "))
        for path in MODULES
        for name, of in re.findall(r"^class (\w+Error)\((.+)\):", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    below = {"UserError"}
    while more := {name for name, of in bases.items() if of & below} - below:
        below |= more
    drawn = set(re.findall(r"^ +(?:[├└]── )?(\w+Error)\b", str(prune_tui.__doc__), re.MULTILINE))
    # The dashboard's own CancelledError is none of these, and nobody outside meets it.
    assert drawn == below - {"UnseenError", "UnlistedError"}  # which never leave what looks before a run begins
    assert drawn <= set(prune_tui.__all__)


def test_importing_loads_nothing_and_changes_no_one_elses_imports():
    assert (
        loaded_after("import prune_tui; dir(prune_tui); assert not any('ours' in str(f) for f in sys.meta_path)") == []
    )


@pytest.mark.slow
def test_warehouses_plans_and_runs_load_no_model_and_no_dashboard():
    names = "Warehouse, RunPlan, plan_run, start_run, find_run, METHODS, SUITES, Level, UserError"
    assert not {"torch", "transformers", "lm_eval", "datasets", "textual"} & set(
        loaded_after(f"from prune_tui import {names}")
    )


def test_the_names_come_from_ours_wherever_the_notebook_lies(tmp_path: Path):
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("raise SystemExit('the wrong package')")
    environment = {"PYTHONPATH": f"{tmp_path}:{ours.FOLDER}"}
    code = "from prune_tui import METHODS; print(METHODS[0])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("maw\n", "")


def test_another_package_of_one_of_our_names_that_was_there_first_is_named(tmp_path: Path):
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").touch()
    environment = {"PYTHONPATH": f"{tmp_path}:{ours.FOLDER}"}
    code = "import engine\ntry: from prune_tui import METHODS\nexcept ImportError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert f"Another package 'engine' ({tmp_path / 'engine' / '__init__.py'}) was imported before" in done.stdout
