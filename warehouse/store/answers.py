"""What a query answers, row by row: as records under the names of its columns, or as a dataclass that has these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from warehouse.store import statements

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Record = dict[str, Any]
T = TypeVar("T")


def records(cursor: DuckDBPyConnection) -> list[Record]:
    """What a connection has to give after a statement."""
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def ask(con: DuckDBPyConnection, query: str, parameters: Mapping[str, Any] | None = None) -> list[Record]:
    """The answer to one of the program's queries."""
    return records(con.execute(statements.query(query), None if parameters is None else dict(parameters)))


def read(con: DuckDBPyConnection, query: str, kind: type[T], parameters: Mapping[str, Any] | None = None) -> list[T]:
    """The same as a dataclass, whose fields are the query's columns."""
    return [kind(**record) for record in ask(con, query, parameters)]
