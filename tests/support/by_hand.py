"""Rows by hand in place of a view's: what builds on it is then tested on just these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Z = 1.959963984540054  # z95()


def stand_in(con: DuckDBPyConnection, view: str, name: str | None = None) -> None:
    """An empty table with a view's columns; by the same name, it is what the file's other views read as well."""
    con.execute(f"create temp table {name or view} as from {view} limit 0")


def fill(con: DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """These rows and no others; columns that a row does not name are null."""
    con.execute(f"delete from {table}")
    alike: dict[tuple[str, ...], list[list[Any]]] = defaultdict(list)
    for row in rows:
        alike[tuple(row)].append(list(row.values()))
    for names, values in alike.items():
        con.executemany(f"insert into {table} ({', '.join(names)}) values ({', '.join('?' * len(names))})", values)
