"""The process that `console` runs a query in: a request as JSON on stdin, a pickled answer on stdout.

It may wait for its request for as long as there is somebody who could make one.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import resource
import sys
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb

from warehouse.console.limits import ANSWER_BYTES, MEMORY_BYTES
from warehouse.errors import DatabaseBusyError, UserError
from warehouse.store import db, studies

_THREADS = 2

_READING = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.PRAGMA,
    duckdb.StatementType.MULTI,
}
# EXPLAIN ANALYZE runs what follows it, and a COPY may overwrite the one file that is not out of its reach: the
# database's own. The options hold no comment, and no comment another, so that nothing can be read in two ways.
_LINES = r"(?:\s|--[^\r\n]*\r?\n|/\*(?:(?!\*/|/\*).)*\*/)*"
_EXPLAIN = re.compile(_LINES + r"explain\b\s*(?P<how>analyze\b|\([\w\s,]*\))?(?P<what>.*)", re.I | re.DOTALL)
# A PIVOT without an IN list becomes several statements (MULTI), and so does a COPY of one.
_ASKING = re.compile(_LINES + r"(?:select|from|with|pivot|unpivot|values|\()", re.I | re.DOTALL)


def main() -> None:
    answer_to = os.dup(1)
    os.dup2(2, 1)  # whatever DuckDB prints is no answer
    asked = sys.stdin.read()
    if not asked:  # whoever started this is gone, or never asked
        return
    request = json.loads(asked)
    try:
        answer = _answer(request)
    except DatabaseBusyError as error:
        answer = ("busy", str(error), error.holder)
    except UserError as error:
        answer = ("error", str(error))
    except MemoryError:
        answer = ("error", f"The query needs more than {MEMORY_BYTES >> 30} GB of memory.")
    with os.fdopen(answer_to, "wb") as out:
        out.write(_packed(answer))


def _address_space() -> int:
    """Bytes of it that are taken before the query: allocators reserve more of it the more cores there are."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # not Linux
        return 0
    return pages * resource.getpagesize()


def _packed(answer: tuple[Any, ...]) -> bytes:
    packed = b""
    with suppress(MemoryError):
        packed = _pickled(answer)
    if 0 < len(packed) <= ANSWER_BYTES:
        return packed
    return pickle.dumps(
        ("error", f"The answer is larger than {ANSWER_BYTES >> 20} MB: ask for fewer rows or columns, or for sums.")
    )


class _Pickler(pickle.Pickler):
    """A time zone's own object is more than a value: what reads the answer is told the time's offset instead."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, datetime) and obj.tzinfo is not None and not isinstance(obj.tzinfo, timezone):
            return obj.replace(tzinfo=timezone(obj.utcoffset() or timedelta())).__reduce_ex__(pickle.DEFAULT_PROTOCOL)
        return NotImplemented


def _pickled(answer: tuple[Any, ...]) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer).dump(answer)
    return buffer.getvalue()


def _answer(request: dict[str, Any]) -> tuple[Any, ...]:
    timeout = request["timeout"]
    limits = {
        "memory_limit": "1GB",
        "threads": str(_THREADS),
        "max_temp_directory_size": "0B",
        "max_execution_time": str(max(1, int(1000 * timeout))),
        "lock_configuration": "true",
    }
    with ExitStack() as opened:
        try:
            con = opened.enter_context(
                db.open_read(Path(request["db"]), wait=request["wait"], config=limits, mend=False)
            )
        except DatabaseBusyError:
            raise
        except (UserError, duckdb.Error, OSError) as error:
            # The caller, who has no such limits of memory and time, mends the file or says what is wrong with it.
            return "unopened", str(error)
        studies.make_for(con, request["sql"])
        return _asked(con, request["sql"], request["row_limit"], timeout)


def _asked(con: duckdb.DuckDBPyConnection, sql: str, limit: int | None, timeout: float) -> tuple[Any, ...]:
    memory = _address_space() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The caller kills what overstays; this ends it where the caller is no more.
    seconds = int(_THREADS * timeout) + 10
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        con.execute(_reading(con, sql))
        rows = con.fetchall() if limit is None else con.fetchmany(limit + 1)
    except duckdb.InterruptException:
        raise UserError(f"The query took longer than {timeout:g} seconds and was stopped.") from None
    except duckdb.Error as error:
        raise UserError(one_line(str(error))) from error
    described = con.description or []
    truncated = limit is not None and len(rows) > limit
    return (
        "table",
        [column[0] for column in described],
        [str(column[1]) for column in described],
        rows[:limit] if truncated else rows,
        truncated,
    )


def _reading(con: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The one statement of a text, if it only reads.

    Raises:
        UserError: it does something else, or there are several.
    """
    statement = _only(con, sql)
    if statement.type not in _READING:
        raise UserError(f"This console only reads: {statement.type.name} is not run here.")
    if statement.type == duckdb.StatementType.MULTI and not _ASKING.match(sql):
        raise UserError(
            "This console only reads: begin a pivot with select, from, with or pivot, and give one that is explained "
            "an IN list."
        )
    if statement.type != duckdb.StatementType.EXPLAIN:
        return statement
    found = _EXPLAIN.fullmatch(sql)
    if found is None:
        raise UserError("Write EXPLAIN or EXPLAIN ANALYZE, and then the query, without a comment between them.")
    explained = _only(con, found["what"])
    if explained.type != duckdb.StatementType.SELECT:
        raise UserError(f"This console only reads: {explained.type.name} is not explained here.")
    return _only(con, f"explain {found['how'] or ''} {found['what']}")


def _only(con: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    statements = con.extract_statements(sql)
    if len(statements) != 1:
        raise UserError(f"Give one SQL statement: there are {len(statements)}.")
    return statements[0]


def one_line(message: str) -> str:
    """DuckDB's message on one line, with the line and column that its caret points at."""
    said: list[str] = []
    lines = message.splitlines()
    place = ""
    for number, line in enumerate(lines):
        if match := re.match(r"LINE (\d+): ", line):
            caret = lines[number + 1].find("^") if number + 1 < len(lines) else -1
            cut = line[match.end() :].startswith("...")
            column = "" if caret < match.end() or cut else f", column {caret - match.end() + 1}"
            place = f" (line {match[1]}{column})"
            break
        if line.strip():
            said.append(line.strip())
    return " ".join(said) + place


if __name__ == "__main__":
    main()
