"""A file that somebody else made reads nothing of this machine, and nothing is fetched for it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import duckdb
import pytest
from cases import one_in

from warehouse.errors import UserError
from warehouse.store import db


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder with a file in it, a link out of it, and files beside it."""
    folder = tmp_path / "it's shared"
    folder.mkdir()
    (folder / "in.txt").write_text("in")
    (tmp_path / "it's shared too").mkdir()
    (tmp_path / "it's shared too" / "out.txt").write_text("out")
    (folder / "link.txt").symlink_to(tmp_path / "it's shared too" / "out.txt")
    return folder


@pytest.mark.parametrize("opener", [db.open_read, db.open_write])
@pytest.mark.parametrize(
    "statement",
    one_in(5, [
        "from read_text('/etc/hostname')", "from '/etc/hostname'", "from glob('/*')", "copy runs to '{folder}/out.csv'",
        "attach '{folder}/other.duckdb'", "install sqlite", "load sqlite", "set enable_external_access = true",
        "set allowed_directories = ['/etc']", "from read_csv('https://example.com/x.csv')",
    ]),
)  # fmt: skip
def test_no_connection_reaches_another_file_or_the_network(database, shared, opener, statement):
    with db.open_write(database):
        pass
    with opener(database) as con, pytest.raises(duckdb.Error):
        con.execute(statement.replace("{folder}", str(database.parent)))
    assert not (database.parent / "out.csv").exists()


@pytest.mark.parametrize("opener", [db.open_read, db.open_write])
def test_a_folder_that_the_caller_needs_is_reached_and_nothing_else(database, shared, opener):
    with db.open_write(database):
        pass
    with opener(database, reach=[shared]) as con:

        def read(path: Path) -> list[tuple]:
            return con.execute("select content from read_text($path)", {"path": str(path)}).fetchall()

        assert read(shared / "in.txt") == [("in",)]
        for outside in (
            shared.parent / "it's shared too" / "out.txt",
            shared / ".." / "it's shared too" / "out.txt",
            shared / "link.txt",
            Path("/etc/hostname"),
        ):
            with pytest.raises(duckdb.PermissionException):
                read(outside)
        with pytest.raises(duckdb.InvalidInputException):
            con.execute("set allowed_directories = ['/etc']")


def test_two_threads_with_a_reach_wait_for_each_other(database, shared):
    """DuckDB shares one instance among a process's connections to a file, and its reach cannot be changed."""
    with db.open_write(database):
        pass
    first = db.open_read(database, reach=[shared])
    first.__enter__()
    threading.Timer(0.1, first.__exit__, (None, None, None)).start()
    with db.open_read(database, reach=[shared]) as con:
        assert con.execute("select content from read_text($path)", {"path": str(shared / "in.txt")}).fetchall()


@pytest.mark.parametrize("opener", [db.open_read, db.open_write])
def test_a_database_of_sqlite_is_refused_in_a_sentence(database, opener):
    with sqlite3.connect(database) as con:
        con.execute("create table t (a)")
    con.close()
    with pytest.raises(UserError, match=r"results.duckdb is not a DuckDB database: name another"), opener(database):
        pass


@pytest.mark.parametrize("name", ["md:results", "postgres:dbname=x", "sqlite:x"])
def test_a_name_that_duckdb_takes_for_another_service_is_a_files_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with db.open_write(Path(name)):
        pass
    assert (tmp_path / name).is_file()
