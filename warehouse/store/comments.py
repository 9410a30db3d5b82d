"""What is said of columns: where their table or view is made, or once for all columns of a name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from warehouse.store import statements

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TABLE = re.compile(r"^create table (?:if not exists )?(\w+)", re.MULTILINE)
_VIEW = re.compile(r"^create or replace view (\w+)", re.MULTILINE)
_TOLD = re.compile(r"^comment on column (\w+\.\w+) is", re.MULTILINE)


def describe_all(con: DuckDBPyConnection, views: Iterable[str]) -> None:
    """Say what each column of our tables, and of these views, holds."""
    con.execute(statements.table_comments())
    describe(con, [*_of_tables(), *views], temporary=False)


def describe(con: DuckDBPyConnection, texts: Iterable[str], *, temporary: bool) -> None:
    """The same of the tables and views that these texts make: in the file, or as the connection's own."""
    text = "\n".join(texts)
    parameters = {
        "names": [*_TABLE.findall(text), *_VIEW.findall(text)],
        "tables": _TABLE.findall("\n".join(_of_tables())),
        "told": _TOLD.findall(text),
        "temporary": temporary,
    }
    query = statements.query("columns_to_describe").replace("{columns}", statements.column_comments())
    comments = con.execute(query, parameters).fetchall()
    if comments:
        con.execute("\n".join(_comment(*one) for one in comments))


def _of_tables() -> list[str]:
    migrations = [migration.text for migration in statements.migrations()]
    return [statements.query("schema_ledger"), *migrations, statements.table_comments()]


def _comment(table: str, column: str, comment: str) -> str:
    quoted = comment.replace("'", "''")
    return f'comment on column "{table}"."{column}" is \'{quoted}\';'
