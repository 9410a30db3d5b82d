"""Every column says what it holds: where its table or view is made, or once for all columns of a name."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from warehouse.store import db, statements, studies

LACKING = (
    "select table_name || '.' || column_name from duckdb_columns() where not internal and comment is null order by all"
)
SAID = "select comment from duckdb_columns() where table_name = ? and column_name = ?"


@pytest.fixture
def new(database: Path) -> Path:
    with db.open_write(database):
        pass
    return database


def said(database: Path, table: str, column: str) -> str:
    with duckdb.connect(database, read_only=True) as con:
        [(comment,)] = con.execute(SAID, [table, column]).fetchall()
    return comment


def test_every_column_of_every_table_and_view_says_what_it_holds(new: Path):
    with duckdb.connect(new, read_only=True) as con:
        assert con.execute(LACKING).fetchall() == []


@pytest.mark.slow
def test_so_does_every_column_of_the_studys_claims(new: Path):
    with db.open_read(new) as con:
        studies.make_for(con, " ".join(studies.names()))
        assert con.execute(LACKING).fetchall() == []


def test_a_name_is_told_once_for_all_that_have_it(new: Path):
    assert said(new, "metrics", "seq") == said(new, "delta_statistics", "seq")
    assert "UTC" in said(new, "cells", "recorded_at")


def test_what_is_told_where_a_view_is_made_comes_first(new: Path):
    assert (
        said(new, "baseline_deltas", "pruning_pct")
        == "Share of the MLP neurons removed, in percent; 0 for the unpruned model."
    )
    assert said(new, "best_levels", "pruning_pct").startswith("Null where no level may be called best")


def test_a_view_says_of_a_tables_column_what_the_table_says(new: Path):
    assert said(new, "run_overview", "seeds") == said(new, "runs", "seeds") != ""


def test_nothing_is_told_of_a_name_that_no_column_has(new: Path):
    with db.open_read(new) as con:
        studies.make_for(con, " ".join(studies.names()))
        query = (
            f"select column_name from ({statements.column_comments()}) anti join duckdb_columns() using (column_name)"
        )
        assert con.execute(query).fetchall() == []


def test_an_older_file_is_told_when_it_is_next_written_to(new: Path):
    with duckdb.connect(new) as con:
        con.execute("comment on column metrics.seq is 'older'; comment on column delta_statistics.seq is null")
        con.execute("update schema_views set sha256 = 'older'")
    with db.open_read(new):
        pass
    assert said(new, "metrics", "seq") == "older"
    with db.open_read(new) as con:
        assert con.execute(SAID, ["metrics", "seq"]).fetchall() == [("older",)]
    with db.open_write(new):
        pass
    assert said(new, "metrics", "seq") == said(new, "delta_statistics", "seq") != "older"
