"""A database of a test's own, and the runs beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from run_writer import RunWriter, metric
from template import once

from warehouse.merging import merge
from warehouse.store import db


@pytest.fixture(name="metric")
def metric_() -> Callable[..., dict[str, Any]]:
    return metric


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "results.duckdb"


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[[str], RunWriter]:
    return lambda run_id: RunWriter(tmp_path / "results.runs" / run_id)


@pytest.fixture
def merged(database: Path) -> Callable[..., None]:
    def merge_them(*runs: RunWriter) -> None:
        for run in runs:
            merge.merge_run(database, run.folder)

    return merge_them


@pytest.fixture
def merged_once(merged: Callable[..., None], database: Path, session_folder: Path) -> Callable[..., None]:
    """As `merged`; what comes of the same runs in a new database is made once a session, and copied."""

    def merge_them(*runs: RunWriter) -> None:
        if database.exists():
            merged(*runs)
            return
        digest = sha256()
        for run in runs:
            for file in sorted(path for path in run.folder.rglob("*") if path.is_file()):
                content = file.read_bytes()
                digest.update(f"{file.relative_to(run.folder.parent)} {len(content)}\0".encode() + content)

        def make(kept: Path) -> None:
            merged(*runs)
            shutil.copy(database, kept)

        kept = once(session_folder / f"{digest.hexdigest()[:32]}.duckdb", make)
        if not database.exists():
            shutil.copy(kept, database)

    return merge_them


@pytest.fixture
def ask(database: Path) -> Callable[..., list[tuple]]:
    """Rows of a query on the test's database."""

    def rows(sql: str) -> list[tuple]:
        with db.open_read(database) as con:
            return con.execute(sql).fetchall()

    return rows


_HOLD = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reading")
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def hold(path: Path, how: str) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def held() -> Callable[..., Any]:
    """`with held(path, "writing"):` another process has the file open, for "writing" or "reading"."""
    return hold
