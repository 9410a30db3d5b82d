"""The process that `warehouse.console` runs a query in: a request as JSON on stdin, a pickled answer on stdout."""

from __future__ import annotations

import json
import os
import pickle
import re
import resource
import sys
from pathlib import Path
from typing import Any

import duckdb

from warehouse import db
from warehouse.console import MEMORY_BYTES
from warehouse.errors import DatabaseBusyError, UserError

# MULTI is what a PIVOT without an IN list becomes.
_READING = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.PRAGMA,
    duckdb.StatementType.MULTI,
}


def main() -> None:
    answer_to = os.dup(1)
    os.dup2(2, 1)  # whatever DuckDB prints is no answer
    request = json.load(sys.stdin)
    try:
        answer = _answer(request)
    except DatabaseBusyError as error:
        answer = ("busy", str(error), error.holder)
    except UserError as error:
        answer = ("error", str(error))
    except MemoryError:
        answer = ("error", f"The query needs more than {MEMORY_BYTES >> 30} GB of memory.")
    with os.fdopen(answer_to, "wb") as out:
        pickle.dump(answer, out)


def _answer(request: dict[str, Any]) -> tuple[Any, ...]:
    timeout = request["timeout"]
    con = db.connect(
        Path(request["db"]),
        read_only=True,
        wait=1.0,
        config={
            "enable_external_access": "false",
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
            "memory_limit": "1GB",
            "threads": "2",
            "max_temp_directory_size": "0B",
            "max_execution_time": str(max(1, int(1000 * timeout))),
            "lock_configuration": "true",
        },
    )
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        statements = con.extract_statements(request["sql"])
        if len(statements) != 1:
            raise UserError(f"Give one SQL statement: there are {len(statements)}.")
        if statements[0].type not in _READING:
            raise UserError(f"This console only reads: {statements[0].type.name} is not run here.")
        con.execute(statements[0])
        limit = request["row_limit"]
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
