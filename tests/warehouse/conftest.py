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
from template import copied, once

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
def merged_anew(database: Path) -> Callable[..., None]:
    def merge_them(*runs: RunWriter) -> None:
        for run in runs:
            merge.merge_run(database, run.folder)

    return merge_them


@pytest.fixture
def merged(merged_anew: Callable[..., None], database: Path, session_folder: Path) -> Callable[..., None]:
    """Merge runs into the test's database, after what it merged before.

    What several tests of a session merge alike is merged twice, and copied from then on. Where merging is what is
    tested, it is `merged_anew`.
    """
    before = sha256()
    written: tuple[int, int] | None = None

    def merge_them(*runs: RunWriter) -> None:
        nonlocal before, written
        if _written(database) != written:  # by the test itself: nobody knows what is in it
            merged_anew(*runs)
            return
        for run in runs:
            for file in sorted(path for path in run.folder.rglob("*") if path.is_file()):
                content = file.read_bytes()
                before.update(f"{file.relative_to(run.folder.parent)} {len(content)}\0".encode() + content)
        kept = session_folder / "merged" / before.hexdigest()[:32]
        kept.parent.mkdir(exist_ok=True)
        if kept.with_suffix(".seen").exists():
            once(kept, lambda draft: (merged_anew(*runs), shutil.copy(database, draft)))
            copied(kept, database)
        else:
            kept.with_suffix(".seen").touch()
            merged_anew(*runs)
        written = _written(database)

    return merge_them


def _written(database: Path) -> tuple[int, int] | None:
    if not database.exists():
        return None
    status = database.stat()
    return status.st_mtime_ns, status.st_size


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
