"""Anybody's SQL, read-only and locked down, in a process of its own that can be killed.

DuckDB's own limits do not bound everything (a single long string escapes both its memory limit and its time
limit), so the query's process also has a limit on its address space, and is killed when it overstays.
"""

from __future__ import annotations

import io
import json
import pickle
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from warehouse.console import waiting
from warehouse.console.limits import MEMORY_BYTES, STATEMENT_BYTES
from warehouse.console.waiting import Waiting
from warehouse.errors import DatabaseBusyError, UserError
from warehouse.exporters.tables import Table, TableFormat, format_table

__all__ = ["CancelledError", "Table", "TableFormat", "format_table", "run_sql"]

_VALUES = frozenset(
    {
        ("datetime", "date"), ("datetime", "time"), ("datetime", "datetime"), ("datetime", "timedelta"),
        ("datetime", "timezone"), ("decimal", "Decimal"), ("uuid", "UUID"), ("uuid", "SafeUUID"),
    }
)  # fmt: skip
# Seconds for starting, waiting for the file and answering, on top of the query's own time.
_GRACE = 3.0
_LONGEST_WAIT = 2.0  # of these
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
    processes: Waiting | None = None,
) -> Table:
    """Run one statement that can neither write nor reach another file nor change a setting.

    Setting `cancel`, from another thread, kills the query's process. It is taken from `processes`, where one may have
    begun already.

    Raises:
        CancelledError: `cancel` was set before the answer was there.
        DatabaseBusyError: another process holds the file open for writing.
        UserError: the statement is wrong, was refused, took longer than `timeout` seconds or too much memory;
            or as `db.open_read`.
    """
    if len(sql.encode(errors="replace")) > STATEMENT_BYTES:
        raise UserError(f"The statement is longer than {STATEMENT_BYTES >> 20} MB: nothing that long is run here.")
    request = {"db": str(db), "sql": sql, "timeout": timeout, "row_limit": row_limit, "wait": min(wait, _LONGEST_WAIT)}
    kind, *content = _asked(request, timeout, cancel, processes)
    if kind == "unopened":
        from warehouse.store.db import open_read

        with open_read(db, wait=wait):
            pass  # says what is wrong with the file, or brings an older one up to date
        kind, *content = _asked(request, timeout, cancel, processes)
    match kind:
        case "table":
            return Table(*content)
        case "busy":
            raise DatabaseBusyError(*content)
        case _:
            raise UserError(*content)


def _asked(
    request: dict[str, Any], timeout: float, cancel: threading.Event | None, processes: Waiting | None
) -> tuple[Any, ...]:
    """What a process answers: of which kind it is, and its content.

    Raises:
        CancelledError: `cancel` was set before.
        UserError: it took too long, or ended without an answer.
    """
    process = waiting.begin() if processes is None else processes.take()
    try:
        answer = _answer(process, json.dumps(request).encode(), timeout + _GRACE, cancel)
    except subprocess.TimeoutExpired:
        raise UserError(f"The query took longer than {timeout:g} seconds and was stopped.") from None
    finally:
        waiting.end(process)
    if process.returncode != 0 or not answer:
        raise UserError(
            f"The query ended its process ({_ending(process.returncode)}): it needed more than "
            f"{MEMORY_BYTES >> 30} GB of memory or too much time, or is nested too deep."
        )
    return _Answer(io.BytesIO(answer)).load()


class _Answer(pickle.Unpickler):
    """Reads values only: whatever may have taken over the query's process gets no further by its answer."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _VALUES:
            return super().find_class(module, name)
        raise UserError(f"The query's answer holds a {module}.{name}, which is not read here: cast it to text.")


def _ending(code: int) -> str:
    try:
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
    except ValueError:
        return f"signal {-code}"


def _answer(process: subprocess.Popen[bytes], request: bytes, timeout: float, cancel: threading.Event | None) -> bytes:
    if cancel is None:
        return process.communicate(request, timeout=timeout)[0]
    deadline = time.monotonic() + timeout
    # At once: a `communicate` that is left while it still has to write never writes the rest.
    stdin, process.stdin = process.stdin, None
    assert stdin is not None
    with suppress(BrokenPipeError), stdin:  # it has ended, which its answer shows
        stdin.write(request)
    while not cancel.is_set():
        try:
            return process.communicate(timeout=_NOTICE)[0]
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise
    raise CancelledError("The query was cancelled.")
