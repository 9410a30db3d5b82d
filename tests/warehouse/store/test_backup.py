"""A file from an older prune-tui is brought up to date, and kept as it was beside it."""

from __future__ import annotations

import gzip
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from warehouse.errors import UserError
from warehouse.store import backup, db, schema, statements
from warehouse.store.statements import Migration

FIRST_RELEASE = Path(__file__).parents[1].joinpath("schema_0001.duckdb.gz")
"""As prune-tui 0.1.0 wrote it, before there was a second migration."""

NEXT = Migration(len(statements.migrations()) + 1, "more", "alter table runs add column more integer;")
BROKEN = Migration(NEXT.version, "broken", "alter table runs add column more integer; create table more (y int);")


def know(monkeypatch: pytest.MonkeyPatch, *migrations: Migration) -> None:
    known = (*statements.migrations(), *migrations)
    monkeypatch.setattr(statements, "migrations", lambda: known)


def others(database: Path) -> list[Path]:
    return sorted(path for path in database.parent.iterdir() if path != database)


@pytest.fixture
def released(database: Path) -> Path:
    database.write_bytes(gzip.decompress(FIRST_RELEASE.read_bytes()))
    return database


@pytest.fixture
def current(database: Path) -> Path:
    with db.open_write(database):
        pass
    return database


@pytest.mark.slow
def test_a_file_of_the_first_release_keeps_its_rows(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, NEXT)
    with duckdb.connect(released, read_only=True) as con:
        before = con.execute("from metrics order by all").fetchall()
        columns = [column[0] for column in con.description or ()]
    with db.open_read(released) as con:
        assert schema.state(con, released) == "current"
        assert con.execute(f"select {', '.join(columns)} from metrics order by all").fetchall() == before
        assert con.execute("select count(*) > 0 from baseline_deltas where is_headline").fetchall() == [(True,)]
    assert len(before) > 10


@pytest.mark.slow
def test_the_file_as_it_was_stands_beside_it(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect(released, read_only=True) as con:
        before = con.execute("from metrics order by all").fetchall()
    know(monkeypatch, NEXT)
    with db.open_write(released):
        pass
    (kept,) = others(released)
    assert kept.name == "results.schema-1.backup.duckdb"
    with duckdb.connect(kept, read_only=True) as con:
        assert [row[0] for row in con.execute("from schema_migrations").fetchall()] == [1]
        assert con.execute("from metrics order by all").fetchall() == before


@pytest.mark.slow
def test_the_user_is_told_once(
    current: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    know(monkeypatch, NEXT)
    for _ in range(2):
        with caplog.at_level(logging.WARNING), db.open_read(current):
            pass
    (told,) = [record.getMessage() for record in caplog.records]
    assert f"results.schema-{NEXT.version - 1}.backup.duckdb beside it is the file as it was" in told


@pytest.mark.slow
def test_what_another_process_left_in_its_log_is_in_the_backup(current: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed with rows committed to the write-ahead log only."""
    code = (
        "import duckdb, os, sys; con = duckdb.connect(sys.argv[1]); "
        "con.execute(\"insert into stages values ('r', 0, now()::timestamp, 's', null, 1)\"); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(current)], check=False)
    assert current.with_name("results.duckdb.wal").exists()
    know(monkeypatch, NEXT)
    with db.open_write(current):
        pass
    (kept,) = others(current)
    with duckdb.connect(kept, read_only=True) as con:
        assert con.execute("select stage from stages").fetchall() == [("s",)]


@pytest.mark.slow
def test_changed_views_alone_need_no_backup(current: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = (*statements.views(), "create or replace view extra as select 1 as one;")
    monkeypatch.setattr(statements, "views", lambda: changed)
    with db.open_write(current):
        pass
    assert others(current) == []


def test_a_new_file_needs_no_backup(current: Path) -> None:
    assert others(current) == []


@pytest.mark.slow
def test_a_migration_that_fails_leaves_the_file_and_no_backup(current: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.open_write(current) as con:
        con.execute("create table more (x int)")
    know(monkeypatch, BROKEN)
    with pytest.raises(UserError, match="stand in the way"), db.open_write(current):
        pass
    assert others(current) == []


@pytest.mark.slow
def test_an_earlier_backup_is_never_replaced(current: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = current.with_name(f"results.schema-{NEXT.version - 1}.backup.duckdb")
    earlier.write_text("mine")
    know(monkeypatch, NEXT)
    with db.open_write(current):
        pass
    assert earlier.read_text() == "mine"
    assert current.with_name(f"results.schema-{NEXT.version - 1}.backup-2.duckdb") in others(current)


def test_without_room_for_a_backup_nothing_is_changed(current: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, NEXT)
    usage = shutil.disk_usage(current.parent)._replace(free=100)
    with monkeypatch.context() as full:
        full.setattr(backup.shutil, "disk_usage", lambda _: usage)
        refused = pytest.raises(UserError, match=r"left as it was, since.*No space left.*make room for \d+ MB")
        with refused, db.open_write(current):
            pass
    assert others(current) == []
    with duckdb.connect(current, read_only=True) as con:
        assert con.execute("select max(version) from schema_migrations").fetchall() == [(NEXT.version - 1,)]


_MIGRATE = """
import sys
from pathlib import Path
from warehouse.store import db, statements
from warehouse.store.statements import Migration
known = (*statements.migrations(), Migration(len(statements.migrations()) + 1, "more", sys.argv[2]))
statements.migrations = lambda: known
print("go", flush=True)
with db.open_write(Path(sys.argv[1])):
    pass
"""


@pytest.mark.slow
def test_two_processes_that_find_an_older_file_make_one_backup(current: Path) -> None:
    commands = [sys.executable, "-c", _MIGRATE.replace("argv[1]))", "argv[1]), wait=20)"), str(current), NEXT.text]
    processes = [subprocess.Popen(commands, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert len(others(current)) == 1
