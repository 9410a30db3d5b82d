"""A command that a message names reads the database that the message is about."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.commands import hint

ROOT = Path(__file__).resolve().parents[2]
# Commands that read a database; and what is written for somebody else, who has one of another name.
NAMED = re.compile(
    r"prune-tui (demo|run|resume|stop|runs|merge|export|sql|why|diff|claims|rules|import|replay)\b(?! …)"
)
FOR_OTHERS = {"warehouse/exporters/bundle.py", "tui/claims/wording.py"}


def test_the_database_is_named_where_it_is_not_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRUNE_TUI_DB", raising=False)
    monkeypatch.chdir(tmp_path)
    assert hint("resume", "r1", db=Path("results.duckdb")) == "prune-tui resume r1"
    assert hint("resume", "r1", db=tmp_path / "results.duckdb") == "prune-tui resume r1"
    assert hint("resume", "r1", db=Path("my results.duckdb")) == "prune-tui resume r1 --db 'my results.duckdb'"
    assert hint(db=Path("a.duckdb")) == "prune-tui --db a.duckdb"


def test_the_usual_one_is_named_where_the_shell_means_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNE_TUI_DB", "other.duckdb")
    assert hint("merge", db=Path("results.duckdb")) == "prune-tui merge --db results.duckdb"


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every text of a program but its docstrings, with its line."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def test_no_message_names_a_command_without_its_database() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for package in ("tui", "engine", "warehouse")
        for path in sorted((ROOT / package).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in FOR_OTHERS
        for line, text in texts(ast.parse(path.read_text(encoding="utf-8")))
        if NAMED.search(text)
    ]
    assert bare == []
