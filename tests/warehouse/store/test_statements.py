"""The SQL files that ship with the program: each is found by its name, and asked by somebody."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.store import statements

QUERIES = sorted((statements.SQL / "queries").rglob("*.sql"))
CODE = ("prune_tui", "tui", "engine", "warehouse")


@pytest.fixture(scope="module")
def asked() -> set[str]:
    """Patterns of what a query's name may be: texts of the code, and the names that queries put others in by."""
    files = (file for folder in CODE for file in (statements.SQL.parent / folder).rglob("*.py"))
    code = {pattern for file in files for pattern in _texts(file)}
    return code | {name for file in QUERIES for name in re.findall(r"/\* (\w+) \*/", file.read_text(encoding="utf-8"))}


def _texts(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.JoinedStr([ast.Constant(str()), *_] as parts):
                yield "".join(re.escape(str(one.value)) if isinstance(one, ast.Constant) else r"\w+" for one in parts)
            case ast.Constant(str() as text) if re.fullmatch(r"\w+", text):
                yield text


def test_a_name_stands_for_one_query():
    assert [name for name, times in Counter(file.stem for file in QUERIES).items() if times > 1] == []


def test_every_query_lies_in_the_folder_of_who_asks():
    assert [file.name for file in QUERIES if len(file.relative_to(statements.SQL / "queries").parts) != 2] == []


def test_every_query_is_asked(asked: set[str]):
    pattern = re.compile("|".join(asked))
    assert [file.stem for file in QUERIES if not pattern.fullmatch(file.stem)] == []


def test_a_query_is_found_in_its_folder():
    assert statements.query("runs") == (statements.SQL / "queries" / "runs" / "runs.sql").read_text(encoding="utf-8")
