from __future__ import annotations

import duckdb
import pytest

from warehouse.store.transaction import transaction


@pytest.fixture
def con():
    con = duckdb.connect()
    con.execute("create table t (x int)")
    return con


def test_a_block_that_ends_is_kept(con):
    with transaction(con):
        con.execute("insert into t values (1)")
    assert con.execute("from t").fetchall() == [(1,)]


def insert_and_raise(con, error: BaseException) -> None:
    with transaction(con):
        con.execute("insert into t values (1)")
        if isinstance(error, duckdb.Error):
            con.rollback()  # as DuckDB does by itself when a commit fails
        raise error


def test_a_block_that_raises_is_undone(con):
    with pytest.raises(KeyboardInterrupt):
        insert_and_raise(con, KeyboardInterrupt())
    assert con.execute("from t").fetchall() == []


def test_a_commit_that_failed_keeps_its_own_error(con):
    """On a full disk, say: that there is nothing left to roll back must not hide it."""
    with pytest.raises(duckdb.IOException, match="No space left"):
        insert_and_raise(con, duckdb.IOException("No space left on device"))
    assert con.execute("from t").fetchall() == []
