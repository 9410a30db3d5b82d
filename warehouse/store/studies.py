"""A paper's claims as views: no part of a file, but made by each connection that asks for them, for itself.

What a connection made comes before anything of that name in a file, which may be from anybody.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from warehouse.store import catalog, comments, statements
from warehouse.store.definitions import temporary

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from warehouse.store.catalog import Catalog


@cache
def names() -> frozenset[str]:
    return frozenset(name for one in statements.studies() for name in one.makes)


def make_for(con: DuckDBPyConnection, statement: str) -> None:
    """Make the views and macros that a statement mentions, and those that they build on; none, if it mentions none."""
    wanted = names() & set(re.findall(r"\w+", statement.lower()))
    for one in reversed(statements.studies()):
        if wanted & set(one.makes):
            wanted |= set(one.needs)
    made = [one.text for one in statements.studies() if wanted & set(one.makes)]
    for text in made:
        con.execute(temporary(text))
    if made:
        comments.describe(con, made, temporary=True)


_ONCE_IN_FILES = frozenset(
    {
        "claims", "claim_changes", "claim_findings", "claim_list", "claim_numbers", "claim_pairs", "claim_series",
        "model_claims", "pair_claims",
    }
)  # fmt: skip


def left_in(theirs: Catalog) -> frozenset[str]:
    """What older programs put into a file, which had all of it: one of the names alone is the user's own."""
    return names() if theirs.views.keys() >= _ONCE_IN_FILES else frozenset()


def drop_from_file(con: DuckDBPyConnection) -> None:
    """Take out what an older program put into the file."""
    if left_in(catalog.read(con)):
        con.execute(statements.query("drop_claims"))
