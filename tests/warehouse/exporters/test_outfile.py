"""What a person asks for is written whole or not at all, and takes no file's place that nobody said may go."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import duckdb
import pytest

from warehouse.errors import UserError
from warehouse.exporters import outfile


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "results.duckdb"


def test_a_new_file_is_written_and_nothing_else_left(database: Path, tmp_path: Path) -> None:
    outfile.write(tmp_path / "table.csv", b"a\n", database)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("table.csv", b"a\n")]


def test_an_existing_file_goes_only_where_that_was_said(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("mine")
    path.chmod(0o640)
    with pytest.raises(outfile.TakenError, match="--force"):
        outfile.write(path, b"new", database)
    assert path.read_text() == "mine"
    outfile.write(path, b"new", database, replace=True)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)


def _duckdb(path: Path) -> None:
    duckdb.connect(path).close()


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as con:
        con.execute("create table t (a)")


def _link(path: Path) -> None:
    _duckdb(path.with_name("behind"))
    path.symlink_to("behind")


def _log(path: Path) -> None:
    path.write_text("log")
    path.with_suffix("").write_text("database")


def _same(path: Path) -> None:
    path.with_name("results.duckdb").write_bytes(b"no magic")
    path.hardlink_to(path.with_name("results.duckdb"))


@pytest.mark.parametrize("make", [_duckdb, _sqlite, _link, _log, _same])
def test_a_database_is_never_replaced(make, database: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.wal"
    make(path)
    before = path.read_bytes()
    with pytest.raises(UserError, match="is a database"):
        outfile.write(path, b"a,b\n", database, replace=True)
    assert path.read_bytes() == before


def test_what_a_run_wrote_is_never_replaced(database: Path, tmp_path: Path) -> None:
    journal = tmp_path / "results.runs" / "r1" / "journal.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text("{}\n")
    with pytest.raises(UserError, match="belongs to a run"):
        outfile.write(journal, b"a,b\n", database, replace=True)
    assert journal.read_text() == "{}\n"


def test_a_missing_folder_is_named_as_missing(database: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"no folder {tmp_path}/not/there"):
        outfile.write(tmp_path / "not" / "there" / "t.csv", b"", database)
    with pytest.raises(UserError, match="is a folder"):
        outfile.write(tmp_path, b"", database)


def test_a_link_stays_a_link(database: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("real.csv")
    outfile.write(tmp_path / "link.csv", b"a", database)
    outfile.write(tmp_path / "link.csv", b"b", database, replace=True)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"b"


def test_a_pipe_is_written_to(database: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    outfile.write(tmp_path / "pipe", b"table", database)
    assert os.read(reader, 100) == b"table"
    os.close(reader)


def test_on_a_full_disk_what_was_there_stays(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("mine")

    def fill(draft: Path) -> None:
        draft.write_text("ha")
        raise OSError(errno.ENOSPC, "No space left on device", str(draft))

    with pytest.raises(OSError, match=f"No space left on device: '{path}'"):
        outfile.write_by(path, fill, database, replace=True)
    assert [one.name for one in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_text() == "mine"


def test_a_file_that_came_meanwhile_stays(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"

    def fill(draft: Path) -> None:
        draft.write_text("ours")
        path.write_text("theirs")

    with pytest.raises(outfile.TakenError):
        outfile.write_by(path, fill, database)
    assert path.read_text() == "theirs"
