"""Anybody's SQL, read-only and locked down, in a process of its own that can be killed.

DuckDB's own limits do not bound everything (a single long string escapes both its memory limit and its time
limit), so the query's process also has a limit on its address space, and is killed when it overstays.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from warehouse import db as database
from warehouse.errors import DatabaseBusyError, UserError
from warehouse.tables import Table, TableFormat, format_table

__all__ = ["CancelledError", "Table", "TableFormat", "format_table", "run_sql"]

MEMORY_BYTES = 3 << 30
# Seconds for starting, waiting for the file and answering, on top of the query's own time.
_GRACE = 3.0
# Seconds until a query notices that it was cancelled.
_NOTICE = 0.05


class CancelledError(UserError):
    """The caller did not want the answer any more."""


def run_sql(
    db: Path,
    sql: str,
    *,
    timeout: float = 30.0,
    row_limit: int | None = None,
    wait: float = 2.0,
    cancel: threading.Event | None = None,
) -> Table:
    """Run one statement that can neither write nor reach another file nor change a setting.

    Setting `cancel`, from another thread, kills the query's process.

    Raises:
        CancelledError: `cancel` was set before the answer was there.
        DatabaseBusyError: another process holds the file open for writing.
        UserError: the statement is wrong, was refused, took longer than `timeout` seconds or too much memory;
            or as `db.open_read`.
    """
    with database.open_read(db, wait=wait):
        pass  # says what is wrong with the file, and brings an older one up to date
    request = {"db": str(db), "sql": sql, "timeout": timeout, "row_limit": row_limit}
    # -P: the current folder may hold modules of the same names.
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "warehouse.console_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        answer = _answer(process, json.dumps(request).encode(), timeout + _GRACE, cancel)
    except subprocess.TimeoutExpired:
        raise UserError(f"The query took longer than {timeout:g} seconds and was stopped.") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.returncode != 0 or not answer:
        raise UserError(
            f"The query ended its process (exit code {process.returncode}): "
            f"it probably needed more than {MEMORY_BYTES >> 30} GB of memory."
        )
    kind, *content = pickle.loads(answer)
    match kind:
        case "table":
            return Table(*content)
        case "busy":
            raise DatabaseBusyError(*content)
        case _:
            raise UserError(*content)


def _answer(process: subprocess.Popen[bytes], request: bytes, timeout: float, cancel: threading.Event | None) -> bytes:
    if cancel is None:
        return process.communicate(request, timeout=timeout)[0]
    deadline = time.monotonic() + timeout
    given: bytes | None = request
    while not cancel.is_set():
        try:
            return process.communicate(given, timeout=_NOTICE)[0]
        except subprocess.TimeoutExpired:
            given = None  # communicate goes on where it was
            if time.monotonic() > deadline:
                raise
    raise CancelledError("The query was cancelled.")
