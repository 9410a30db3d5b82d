from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from warehouse.errors import DatabaseBusyError, UserError
from warehouse.store import db


def test_a_new_file_has_the_storage_version_that_older_shells_read(database):
    for _ in range(2):  # and keeps it when it is opened again
        with db.open_write(database) as con:
            con.execute("create or replace table mine (x int)")
            (tags,) = con.execute("select tags from duckdb_databases() where not internal").fetchall()[0]
            assert tags["storage_version"].startswith("v1.4.0")
    header = database.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 67  # DuckDB 1.4 reads up to 67, 1.5 up to 68


def test_creating_leaves_no_other_file_behind(database):
    with db.open_write(database):
        pass
    assert [path.name for path in database.parent.iterdir()] == ["results.duckdb"]


def test_reading_a_missing_file_says_how_to_create_one(database):
    with (
        pytest.raises(UserError, match=r"no database .*: a run creates it .prune-tui demo --db "),
        db.open_read(database),
    ):
        pass
    assert not database.exists()


@pytest.mark.parametrize("content", [b"", b"hi", b"not a database " * 1000], ids=["empty", "short", "text"])
@pytest.mark.parametrize("opener", [db.open_read, db.open_write])
def test_a_file_that_is_no_database_is_refused_and_left_alone(database, content, opener):
    database.write_bytes(content)
    with pytest.raises(UserError, match="not a DuckDB database"), opener(database):
        pass
    assert database.read_bytes() == content


@pytest.mark.parametrize("opener", [db.open_read, db.open_write])
def test_a_folder_is_refused(tmp_path, opener):
    with pytest.raises(UserError, match="is a folder"), opener(tmp_path):
        pass


def test_writing_into_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="no folder"), db.open_write(tmp_path / "nowhere" / "r.duckdb"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="permissions"), db.open_write(tmp_path / "r.duckdb"):
        pass


def test_a_full_disk_is_told_in_a_sentence(database):
    with pytest.raises(UserError, match=r"disk .* is full"), db.open_write(database):
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6])
@pytest.mark.parametrize("opener", [db.open_read, db.open_write])
def test_a_file_that_was_cut_short_is_told_with_the_way_to_make_it_anew(database, share, opener):
    with db.open_write(database):
        pass
    os.truncate(database, int(share * database.stat().st_size))
    with pytest.raises(UserError, match=r"damaged .*move results.duckdb .* then prune-tui merge"), opener(database):
        pass


def test_the_log_of_a_file_that_is_gone_is_not_taken_for_a_new_ones(database):
    log = database.with_name("results.duckdb.wal")
    log.write_bytes(b"rows")
    with pytest.raises(UserError, match=r"its log results.duckdb.wal"), db.open_write(database):
        pass
    assert log.read_bytes() == b"rows"
    assert not database.exists()


def test_other_errors_keep_their_type(database):
    with pytest.raises(duckdb.CatalogException), db.open_write(database) as con:
        con.execute("from nowhere")


@pytest.mark.parametrize(
    ("how", "opener"), [("writing", db.open_read), ("writing", db.open_write), ("reading", db.open_write)]
)
def test_a_held_file_is_busy_and_the_holder_named(database, held, how, opener):
    with db.open_write(database):
        pass
    with held(database, how) as process:
        with pytest.raises(DatabaseBusyError) as caught, opener(database, wait=0):
            pass
        assert f"PID {process.pid}" in str(caught.value)
        assert caught.value.holder is not None
        assert caught.value.holder.startswith("python")


def test_two_processes_may_read_at_once(database, held):
    with db.open_write(database):
        pass
    with held(database, "reading"), db.open_read(database, wait=0) as con:
        assert con.execute("select 1").fetchall() == [(1,)]


def test_waiting_outlasts_a_short_holder(database, held):
    with db.open_write(database):
        pass
    with held(database, "writing") as process:
        threading.Timer(0.3, process.kill).start()
        with db.open_write(database, wait=60):
            assert process.poll() is not None


def test_the_same_process_reading_while_it_writes_is_busy(database):
    with (
        db.open_write(database),
        pytest.raises(DatabaseBusyError, match="this process"),
        db.open_read(database, wait=0),
    ):
        pass


@pytest.mark.slow
def test_two_processes_creating_the_same_file_both_succeed(database):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_create, args=(database,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    with db.open_read(database) as con:
        assert con.execute("select count(*) from schema_migrations").fetchall()[0][0] >= 1


def _create(path: Path) -> None:
    with db.open_write(path, wait=20):
        pass


@pytest.mark.parametrize("opener", [db.open_read, db.open_write])
def test_a_file_that_was_just_written_is_opened_once(database, opener, monkeypatch):
    with db.open_write(database):
        pass
    opened, connect = [], duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda *given, **more: opened.append(given) or connect(*given, **more))
    os.utime(database)
    with opener(database):
        pass
    assert len(opened) == 1


@pytest.mark.slow
@pytest.mark.parametrize("opener", [db.open_read, db.open_write])
def test_a_file_that_was_written_while_it_was_opened_is_opened_again(database, opener, monkeypatch):
    """DuckDB reads the header before it takes the lock: what it knows may be gone by then."""
    with db.open_write(database):
        pass
    real, opened = duckdb.connect, []

    def connect(*args, **kwargs):
        opened.append(con := real(*args, **kwargs))
        if len(opened) == 1:
            os.utime(database)  # as another process's last write does
        return con

    monkeypatch.setattr(db.duckdb, "connect", connect)
    with opener(database, wait=0) as con:
        assert con is opened[-1]
        assert len(opened) > 1
        with pytest.raises(duckdb.ConnectionException):
            opened[0].execute("select 1")


def test_a_file_from_the_future_is_opened(database):
    """The clock was set back after it was written."""
    with db.open_write(database):
        pass
    os.utime(database, (2**32, 2**32))
    with db.open_read(database, wait=0) as con:
        assert con.execute("select 1").fetchall() == [(1,)]


def test_importing_the_package_does_not_load_the_model_stack():
    code = (
        "import sys, warehouse.store.db, warehouse.merging.merge; "
        "assert not {'torch', 'lm_eval', 'polars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_disk_that_fills_while_the_file_is_made_leaves_nothing_behind(database, monkeypatch):
    def write(new):
        new.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(db.template, "write", write)
    with pytest.raises(UserError, match="is full"), db.open_write(database):
        pass
    assert list(database.parent.iterdir()) == []


def test_the_log_of_another_database_is_named(database: Path, tmp_path: Path) -> None:
    with db.open_write(database):
        pass
    before = database.read_bytes()
    for statement in ("create table t (a integer)", "insert into t values (1)"):
        with duckdb.connect(tmp_path / "other.duckdb") as con:
            con.execute("pragma disable_checkpoint_on_shutdown")
            con.execute(statement)
    (tmp_path / "other.duckdb.wal").rename(tmp_path / "results.duckdb.wal")
    with (
        pytest.raises(UserError, match=r"results\.duckdb\.wal .*is the log of another database"),
        db.open_read(database),
    ):
        pass
    assert database.read_bytes() == before
