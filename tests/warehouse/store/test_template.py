"""New databases are copies of one that is kept in the user's cache, and never depend on it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from cases import one_in

from warehouse.store import db, template


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the user's. One view instead of all: they take a second to bind."""
    monkeypatch.setattr(template.statements, "views", lambda: ("create or replace view one as select 1 as x;",))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(template, "_catalogs", {})
    return tmp_path / "cache" / "prune-tui" / "schema"


@pytest.fixture
def filled(cache: Path, session_folder: Path) -> Path:
    """What another process kept."""
    template.ours()
    return cache


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One for each time that all statements are executed."""
    made: list[int] = []
    real = template._make
    monkeypatch.setattr(template, "_make", lambda *given: made.append(1) or real(*given))
    return made


def works(database: Path) -> bool:
    database.unlink(missing_ok=True)
    with db.open_write(database) as con:
        return con.execute("select count(*) = 0 from runs, one").fetchall() == [(True,)]


def test_the_second_database_is_a_copy(cache, database, times):
    assert works(database)
    assert works(database)
    assert len(times) == 1
    assert {path.suffix for path in cache.iterdir()} == {".duckdb", ".json"}
    assert cache.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("suffix", [".duckdb", ".json"])
@pytest.mark.parametrize("damage", one_in(4, ["missing", "cut", "other", "folder"]))
def test_what_is_doubtful_is_made_anew(filled, database, monkeypatch, suffix, damage):
    monkeypatch.setattr(template, "_catalogs", {})
    [file] = filled.glob(f"*{suffix}")
    content = file.read_bytes()
    file.unlink()
    if damage == "folder":
        file.mkdir()
    elif damage != "missing":
        file.write_bytes(content[:-100] if damage == "cut" else b"{}")
    assert works(database)


@pytest.mark.parametrize("why", ["a file in its place", "others may write"])
def test_a_cache_that_cannot_be_used_is_done_without(cache, database, why):
    cache.parent.mkdir(parents=True)
    if why == "a file in its place":
        cache.touch()
    else:
        cache.mkdir()
        cache.chmod(0o777)
    assert works(database)
    assert cache.is_file() or not any(cache.iterdir())


def test_another_schema_has_another_copy_and_old_ones_go(filled, monkeypatch):
    old = filled / "old.json"
    old.touch()
    long_ago = time.time() - 100 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    monkeypatch.setattr(template.statements, "views", lambda: ("create or replace view two as select 2 as x;",))
    assert set(template.ours().views) == {"two"}
    assert not old.exists()
    assert len(list(filled.glob("*.json"))) == 2


@pytest.mark.slow
def test_a_database_made_anew_is_the_same(made_anew, database):
    with db.open_write(database):
        pass
    with db.open_read(database) as con:
        assert template.catalog.read(con) == template.ours()
