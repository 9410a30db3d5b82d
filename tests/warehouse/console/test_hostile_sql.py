"""Statements with ill will: the console gives them nothing, leaves no trace of them, and does not wait for them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import psutil
import pytest

_FILE = Path(__file__).parents[3] / "benchmarks" / "hostile_sql.py"
_SPEC = importlib.util.spec_from_file_location("hostile_sql", _FILE)
assert _SPEC is not None
assert _SPEC.loader is not None
hostile_sql = importlib.util.module_from_spec(_SPEC)
sys.modules["hostile_sql"] = hostile_sql  # its dataclasses look themselves up
_SPEC.loader.exec_module(hostile_sql)

STATEMENTS = list(hostile_sql.statements())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_sql.prepared(tmp_path_factory.mktemp("hostile"))


# One of each twenty is fast, and given to a process that is not forked from one of the tests'.
CASES = [
    pytest.param(statement, marks=pytest.mark.slow if at % 20 else pytest.mark.real_process, id=statement.tries)
    for at, statement in enumerate(STATEMENTS)
]


@pytest.mark.parametrize("statement", CASES)
def test_the_console_gives_it_nothing(database, statement, monkeypatch):
    monkeypatch.setenv("HOSTILE_CANARY", hostile_sql.CANARY)
    before = hostile_sql.traces(database.parent)
    outcome = hostile_sql.in_console(database, statement.filled(database.parent, database))
    hostile_sql.check(outcome, statement.tries)
    assert "\n" not in outcome.said
    assert hostile_sql.traces(database.parent) == before
    left = [child for child in psutil.Process().children() if "warehouse.console.process" in child.cmdline()]
    assert left == []


def test_the_table_in_the_docs_has_every_statement():
    text = hostile_sql.TABLE.read_text(encoding="utf-8")
    for statement in STATEMENTS:
        assert f"| {statement.tries} |" in text, f"run {hostile_sql.__file__} again: {statement.tries} is missing"


def test_a_pivot_and_an_explanation_are_still_read(database):
    for sql in (
        "explain select 1",
        "-- why\nexplain analyze select count(*) from metrics",
        "explain (analyze, format json) select 1",
        "-- a pivot\r\npivot (select 1 as a, 2 as b) on a using sum(b)",
        "from (pivot (select 1 as a, 2 as b) on a using sum(b))",
    ):
        assert hostile_sql.in_console(database, sql).answered, sql
