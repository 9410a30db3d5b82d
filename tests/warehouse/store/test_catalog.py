"""A file's views, macros and tables are compared with ours: what it says of itself is not believed."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import duckdb
import pytest
from cases import one_in

from warehouse.console.console import run_sql
from warehouse.errors import AlteredError
from warehouse.read.runs import list_runs
from warehouse.store import catalog, db, known, schema


@pytest.fixture
def altered(database, new_run, merged):
    """Execute statements on a database with a run, as a stranger may have."""
    run = new_run("r1")
    run.start()
    run.cell("0", "piqa", 0.8)
    run.cell("40", "piqa", 0.5)
    merged(run)

    def alter(*statements: str) -> Path:
        with duckdb.connect(database) as con:
            for statement in statements:
                con.execute(statement)
        return database

    return alter


@pytest.fixture
def read_only(monkeypatch):
    """Root may write to any file: as if it could not."""
    monkeypatch.setattr(db, "_writable", lambda path: False)


HOSTILE = (
    "create or replace view run_overview as select * replace ('stolen' as name) from main.run_overview_ours",
    "create or replace macro is_share(metric) as false",
)


def hostile(alter) -> Path:
    with duckdb.connect(alter()) as con:
        [(text,)] = con.execute("select sql from duckdb_views() where view_name = 'run_overview'").fetchall()
    return alter(text.replace("VIEW run_overview", "VIEW run_overview_ours"), *HOSTILE)


@pytest.mark.slow
def test_views_and_macros_that_were_altered_are_put_back_and_named(altered, caplog):
    database = hostile(altered)
    with caplog.at_level(logging.WARNING):
        assert [run.name for run in list_runs(database)] == ["r1"]
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == (
        "What results.duckdb had by the names of run_overview, is_share is not what this prune-tui makes: "
        "its own views and macros were put back."
    )
    with duckdb.connect(database, read_only=True) as con:
        assert con.execute("select name, is_share('acc') from run_overview").fetchall() == [("r1", True)]


@pytest.mark.slow
def test_where_the_file_cannot_be_written_ours_are_the_connections_own(altered, read_only, caplog):
    database = hostile(altered)
    before = database.read_bytes()
    with db.open_read(database) as con:
        assert con.execute("select name, is_share('acc') from run_overview").fetchall() == [("r1", True)]
        assert con.execute("select count(*) > 0 from baseline_deltas").fetchall() == [(True,)]
    assert database.read_bytes() == before
    assert caplog.records == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any file")
def test_so_they_are_for_a_statement_of_the_users(altered):
    database = hostile(altered)
    database.chmod(0o400)
    assert run_sql(database, "select name from run_overview").rows == [("r1",)]


@pytest.mark.slow
def test_a_dropped_view_is_put_back(altered):
    database = altered("drop view best_level")
    with db.open_read(database) as con:
        assert con.execute("select count(*) from best_level").fetchall()


@pytest.mark.parametrize(
    "statements",
    one_in(
        2,
        [
            ("alter table metrics rename to m", "create view metrics as select * from m"),
            ("drop table failures",),
            ("alter table runs add column more varchar default (current_user)",),
            ("alter table metrics drop column chance",),
            ("create macro round(x) as 42",),
            ('create macro "+"(a, b) as 7',),
            ("create macro COUNT(x) as 7",),
            ("create macro duckdb_columns() as table select 1",),
            ("create type json as enum ('a')",),
            ("alter table schema_migrations rename to s", "create view schema_migrations as from s"),
            ("drop table schema_migrations",),
            ("delete from schema_migrations where version = 2",),
            ("delete from schema_migrations",),
        ],
        single=True,
    ),
    ids=lambda statements: statements[-1],
)
@pytest.mark.parametrize("opener", one_in(4, [db.open_read, db.open_write]))
def test_what_cannot_be_put_back_is_refused_in_a_sentence_that_offers_a_rebuild(altered, statements, opener):
    database = altered(*statements)
    with (
        pytest.raises(AlteredError, match=r"results.duckdb was altered \(.*merge --from-journals --db"),
        opener(database),
    ):
        pass


def test_a_users_own_views_stay_are_named_and_run_by_sql_alone(altered):
    database = altered(
        "create view mine as select 42 as x",
        "create view theirs as from read_text('/etc/hostname')",
        "create schema other",
        "create view other.metrics as select error('executed')",
        "create macro twice(x) as 2 * x",
    )
    with db.open_write(database) as con:
        assert schema.standing(con, database).differences.own == ("mine", "theirs", "other.metrics")
        assert con.execute("select count(*) from metrics").fetchall() == [(2,)]
    assert run_sql(database, "select twice(x) from mine").rows == [(84,)]
    with pytest.raises(Exception, match="file system operations are disabled"):
        run_sql(database, "from theirs")


@pytest.mark.slow
def test_a_table_in_place_of_a_view_of_ours_is_in_the_way(altered):
    database = altered("drop view best_level", "create table best_level (x int)")
    with pytest.raises(Exception, match="stand in the way"), db.open_write(database):
        pass


def wait_for_the_clock(file: Path) -> None:
    """Until a change of the file could not have the time of the last one."""
    while time.time_ns() - file.stat().st_ctime_ns <= known.CLOCK_TICK:
        time.sleep(0.005)


@pytest.mark.parametrize("times", one_in(3, [3, 1, 2]))
def test_a_file_that_was_written_many_times_still_holds_our_views(altered, times):
    """DuckDB turns the names in `* exclude (…)` round each time that it writes them."""
    database = altered()
    for number in range(times):
        altered(f"create table t{number} (x int)", "checkpoint")
    with duckdb.connect(database) as con:
        assert schema.state(con, database) == "current"


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("SELECT * EXCLUDE (a, b) FROM t", "SELECT * EXCLUDE (b, a) FROM t", True),
        ("SELECT * REPLACE (f(a, b) AS x, 1 AS y)", "SELECT * REPLACE (1 AS y, f(a, b) AS x)", True),
        ("SELECT * REPLACE (f(a, b) AS x, 1 AS y)", "SELECT * REPLACE (1 AS y, f(b, a) AS x)", False),
        ("SELECT f(a, b)", "SELECT f(b, a)", False),
        ("SELECT replace(a, b)", "SELECT replace(b, a)", False),
        ("SELECT ' EXCLUDE (a, b)'", "SELECT ' EXCLUDE (b, a)'", False),
        ('SELECT " EXCLUDE (a, b)"', 'SELECT " EXCLUDE (b, a)"', False),
        ("SELECT * EXCLUDE (a), b", "SELECT * EXCLUDE (b), a", False),
        ("SELECT * EXCLUDE (a, 'it''s (,', b)", "SELECT * EXCLUDE (b, a, 'it''s (,')", True),
    ],
)
def test_only_what_has_no_order_may_be_in_another_order(one, other, are_same):
    assert catalog.same(one, other) is are_same


def test_a_file_is_compared_once_while_nobody_changes_it(altered, monkeypatch):
    database = altered("create table mine (x int)")
    times = []
    real = catalog.read
    monkeypatch.setattr(catalog, "read", lambda con: times.append(1) or real(con))
    wait_for_the_clock(database)
    for _ in range(3):
        with db.open_read(database):
            pass
    assert len(times) == 1
    altered("create macro round(x) as 42")
    with pytest.raises(AlteredError), db.open_read(database):
        pass
