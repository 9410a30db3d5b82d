"""All or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@contextmanager
def transaction(con: DuckDBPyConnection) -> Iterator[None]:
    """Commit what the block does, or leave the file as it was if it raises."""
    import duckdb

    con.begin()
    try:
        yield
        con.commit()
    except BaseException:
        # A commit that fails, on a full disk say, has rolled back already.
        with suppress(duckdb.TransactionException):
            con.rollback()
        raise
