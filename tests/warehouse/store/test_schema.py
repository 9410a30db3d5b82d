from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from warehouse.errors import UserError
from warehouse.store import db, schema, statements
from warehouse.store.statements import Migration

NEXT = Migration(len(statements.migrations()) + 1, "more", "alter table runs add column more integer;")


@pytest.fixture
def merged(merged_anew):
    return merged_anew


@pytest.fixture
def older(database, monkeypatch):
    """A file at the schema before `NEXT`, which the program now knows."""
    with db.open_write(database):
        pass
    known = (*statements.migrations(), NEXT)
    monkeypatch.setattr(statements, "migrations", lambda: known)
    return database


def columns(con) -> set[str]:
    return {
        row[0] for row in con.execute("select column_name from duckdb_columns() where table_name = 'runs'").fetchall()
    }


def test_migrations_are_numbered_from_one_without_gaps():
    assert [migration.version for migration in statements.migrations()] == [*range(1, len(statements.migrations()) + 1)]


def test_a_fresh_file_gets_every_migration_and_view(database):
    with db.open_write(database) as con:
        applied = con.execute("select version, name, sha256 from schema_migrations").fetchall()
        views = con.execute("select view_name from duckdb_views() where not internal").fetchall()
    assert applied == [(m.version, m.name, m.sha256) for m in statements.migrations()]
    assert {name for (name,) in views} >= {
        "headline_metrics", "baseline_deltas", "size_comparison", "best_level", "consistent_improvements",
    }  # fmt: skip


def test_a_current_file_is_left_as_it_is(database):
    for _ in range(2):
        with db.open_write(database) as con:
            assert schema.state(con, database) == "current"
            assert con.execute("select count(*) from schema_views").fetchall() == [(1,)]


@pytest.mark.slow
def test_opening_an_older_file_for_writing_brings_it_up_to_date(older):
    with db.open_write(older) as con:
        assert "more" in columns(con)


@pytest.mark.slow
def test_opening_an_older_file_for_reading_brings_it_up_to_date_first(older):
    with db.open_read(older) as con:
        assert "more" in columns(con)
        assert schema.state(con, older) == "current"


def test_an_older_file_that_cannot_be_written_is_read_by_our_views_where_its_tables_have_what_they_read(
    older, monkeypatch
):
    monkeypatch.setattr(db, "_writable", lambda path: False)
    before = older.read_bytes()
    with db.open_read(older) as con:
        assert con.execute("from headline_metrics").fetchall() == []
    assert older.read_bytes() == before


def test_an_older_file_that_cannot_be_written_and_lacks_what_views_read_says_what_to_do(database, monkeypatch):
    with gzip.open(Path(__file__).parents[1].joinpath("schema_0005.duckdb.gz")) as packed:
        database.write_bytes(packed.read())
    monkeypatch.setattr(db, "_writable", lambda path: False)
    with (
        pytest.raises(UserError, match=r"older prune-tui and cannot be written.*: copy it .* with --db\.$"),
        db.open_read(database),
    ):
        pass


@pytest.mark.slow
def test_an_older_file_keeps_its_rows(database, new_run, merged, ask, monkeypatch):
    run = new_run("r1")
    run.start()
    merged(run)
    known = (*statements.migrations(), NEXT)
    monkeypatch.setattr(statements, "migrations", lambda: known)
    assert ask("select run_id, more from runs") == [("r1", None)]


def test_a_failing_migration_changes_nothing(database, monkeypatch):
    with db.open_write(database) as con:
        con.execute("create table more (x int)")
    broken = Migration(NEXT.version, "broken", "alter table runs add column more integer; create table more (y int);")
    known = (*statements.migrations(), broken)
    with monkeypatch.context() as patched:
        patched.setattr(statements, "migrations", lambda: known)
        with pytest.raises(UserError, match="stand in the way"), db.open_write(database):
            pass
    with db.open_read(database) as con:
        assert "more" not in columns(con)


@pytest.mark.slow
@pytest.mark.parametrize("opener", [db.open_read, db.open_write])
def test_a_file_from_a_newer_prune_tui_is_refused(older, opener, monkeypatch):
    with db.open_write(older):
        pass
    known = statements.migrations()[:-1]
    monkeypatch.setattr(statements, "migrations", lambda: known)
    with pytest.raises(UserError, match="newer prune-tui"), opener(older):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("opener", [db.open_read, db.open_write])
def test_a_file_whose_migration_was_edited_since_is_refused(database, opener, monkeypatch):
    with db.open_write(database):
        pass
    first, *rest = statements.migrations()
    edited = (Migration(first.version, first.name, first.text + " -- edited"), *rest)
    monkeypatch.setattr(statements, "migrations", lambda: edited)
    with pytest.raises(UserError, match="is not the one this prune-tui carries"), opener(database):
        pass


@pytest.mark.slow
def test_changed_views_are_put_in_anew(database, monkeypatch):
    with db.open_write(database):
        pass
    changed = (*statements.views(), "create or replace view extra as select 1 as one;")
    monkeypatch.setattr(statements, "views", lambda: changed)
    with db.open_read(database) as con:
        assert con.execute("from extra").fetchall() == [(1,)]


def test_a_strangers_database_is_not_read(database):
    import duckdb

    duckdb.connect(database).execute("create table theirs (x int)").close()
    with pytest.raises(UserError, match="without prune-tui's tables"), db.open_read(database):
        pass


@pytest.mark.slow
def test_a_strangers_database_can_hold_results_beside_its_own_tables(database):
    import duckdb

    duckdb.connect(database).execute("create table theirs (x int)").close()
    with db.open_write(database) as con:
        assert con.execute("select count(*) from runs").fetchall() == [(0,)]
        assert con.execute("select count(*) from theirs").fetchall() == [(0,)]


def test_a_strangers_table_of_our_name_is_in_the_way(database):
    import duckdb

    duckdb.connect(database).execute("create table runs (x int)").close()
    with pytest.raises(UserError, match="stand in the way"), db.open_write(database):
        pass


@pytest.mark.parametrize("kind", ["table", "view"])
def test_everything_in_the_file_says_what_it_is(database, kind):
    with db.open_write(database) as con:
        rows = con.execute(
            f"select {kind}_name from duckdb_{kind}s() where not internal and comment is null"
        ).fetchall()
    assert rows == []


def test_every_view_file_begins_by_saying_what_a_row_is():
    for text in statements.views():
        assert text.startswith("-- One row is ")
