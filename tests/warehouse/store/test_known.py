"""Which files need no comparing: those that nobody changed since a process compared or wrote them."""

from __future__ import annotations

import os

import duckdb
import pytest
from cases import one_in

from warehouse.store import cache, db, known, schema


@pytest.fixture
def comparisons(monkeypatch):
    """How often a file was compared with ours."""
    made = []
    standing = schema.standing
    monkeypatch.setattr(schema, "standing", lambda con, path: made.append(path) or standing(con, path))
    return made


@pytest.fixture
def written(tmp_path, comparisons):
    """A database that this process has just written."""
    path = tmp_path / "results.duckdb"
    with db.open_write(path) as con:
        con.execute("create table mine (x int)")
    comparisons.clear()
    return path


def test_a_file_that_this_process_wrote_is_not_compared_again(written, comparisons):
    with db.open_read(written) as con:
        assert con.execute("from mine").fetchall() == []
    with db.open_write(written) as con:
        con.execute("insert into mine values (1)")
    with db.open_read(written) as con:
        assert con.execute("from mine").fetchall() == [(1,)]
    assert comparisons == []


def test_a_file_that_was_just_made_is_not_compared(tmp_path, comparisons):
    for opening in (db.open_write, db.open_read):
        with opening(tmp_path / "results.duckdb"):
            pass
    assert comparisons == []


def test_a_file_that_changed_while_it_got_its_name_is_compared(tmp_path, comparisons, monkeypatch):
    path = tmp_path / "results.duckdb"
    publish = db.publish

    def publish_and_alter(new, path) -> None:
        publish(new, path)
        with duckdb.connect(path) as con:
            con.execute("create or replace view run_overview as select 1 as x")

    monkeypatch.setattr(db, "publish", publish_and_alter)
    with db.open_write(path) as con:
        assert len(con.execute("describe run_overview").fetchall()) > 1
    assert comparisons == [path]


@pytest.mark.parametrize("opening", one_in(2, [db.open_read, db.open_write]))
def test_a_file_that_another_hand_changed_at_once_is_compared(written, comparisons, opening):
    with duckdb.connect(written) as con:
        con.execute("create or replace view run_overview as select 1 as x")
    with opening(written) as con:
        assert len(con.execute("describe run_overview").fetchall()) > 1
    assert comparisons[0] == written


def test_a_log_beside_it_is_a_change(written, comparisons):
    con = duckdb.connect(written)
    con.execute("pragma disable_checkpoint_on_shutdown")
    con.execute("insert into mine values (2)")
    con.close()
    assert written.with_name(f"{written.name}.wal").exists()
    with db.open_read(written) as con:
        assert con.execute("from mine").fetchall() == [(2,)]
    assert comparisons == [written]


def test_a_file_that_may_not_be_signed_is_compared(written, comparisons, monkeypatch):
    def refuse(path, ns):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refuse)
    with db.open_write(written) as con:
        con.execute("insert into mine values (3)")
    with db.open_read(written):
        pass
    assert comparisons == [written]


def test_a_statement_that_failed_leaves_the_file_unsigned(written, comparisons):
    def alter_and_fail() -> None:
        with db.open_write(written) as con:
            con.execute("create or replace view run_overview as select 1 as x")
            con.execute("no such statement")

    with pytest.raises(duckdb.Error):
        alter_and_fail()
    with db.open_read(written) as con:
        assert len(con.execute("describe run_overview").fetchall()) > 1
    assert comparisons[0] == written


def test_what_was_only_read_is_brought_up_to_date_when_it_is_written_to(written, comparisons):
    with duckdb.connect(written) as con:
        con.execute("update schema_views set sha256 = 'older'")
    with db.open_read(written):
        pass
    with db.open_write(written) as con:
        assert con.execute("select count(*) from schema_views where sha256 <> 'older'").fetchall() == [(1,)]
    assert comparisons == [written, written]


@pytest.fixture
def next_process(written, monkeypatch):
    """From now on this process knows what one knows that has just begun."""
    monkeypatch.setattr(known, "_known", {})


def test_the_next_process_need_not_compare_what_this_one_wrote(written, comparisons, next_process):
    with db.open_read(written):
        pass
    with db.open_write(written):
        pass
    assert comparisons == []


def test_what_was_only_looked_at_is_looked_at_once_for_all_processes(written, comparisons, monkeypatch):
    with duckdb.connect(written) as con:
        con.execute("insert into mine values (4)")
    monkeypatch.setattr(known, "_is_young", lambda path: False)  # without waiting for it
    for _ in range(3):
        monkeypatch.setattr(known, "_known", {})
        with db.open_read(written):
            pass
    assert comparisons == [written]


@pytest.mark.usefixtures("next_process")
def test_what_another_hand_changed_is_compared_by_the_next_process(written, comparisons):
    with duckdb.connect(written) as con:
        con.execute("create or replace view run_overview as select 1 as x")
    with db.open_read(written) as con:
        assert len(con.execute("describe run_overview").fetchall()) > 1
    assert comparisons[0] == written


@pytest.mark.usefixtures("next_process")
@pytest.mark.parametrize("said", ["", "{}", "[]", '{"imprint": 3, "signed": true}', '{"imprint": [], "signed": true}'])
def test_a_note_that_is_damaged_says_nothing(written, comparisons, said):
    folder = cache.folder("known")
    assert folder is not None
    for note in folder.iterdir():
        note.write_text(said)
    with db.open_read(written):
        pass
    assert comparisons == [written]


@pytest.mark.usefixtures("next_process")
def test_notes_where_others_may_write_say_nothing(written, comparisons):
    folder = cache.folder("known")
    assert folder is not None
    folder.chmod(0o777)
    try:
        with db.open_read(written):
            pass
    finally:
        folder.chmod(0o700)
    assert comparisons == [written]
