"""Bringing a file's schema up to date: numbered migrations once, macros and views whenever theirs changed."""

from __future__ import annotations

import logging
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from warehouse import backup, identity, old_runs, statements
from warehouse.errors import UserError
from warehouse.transaction import transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

logger = logging.getLogger(__name__)

State = Literal["current", "outdated", "empty", "foreign"]


def state(con: DuckDBPyConnection, path: Path) -> State:
    """What an open file needs: nothing, migrations or views, everything; "foreign" has tables, none of ours.

    Raises:
        UserError: the file was changed by a newer prune-tui, or an applied migration differs from ours.
    """
    ours, any_table = con.execute(statements.query("has_schema")).fetchall()[0]
    if not ours:
        return "foreign" if any_table else "empty"
    applied = con.execute(statements.query("applied_migrations")).fetchall()
    known = {migration.version: migration for migration in statements.migrations()}
    for version, name, digest in applied:
        if version not in known:
            raise UserError(
                f"{path} was written by a newer prune-tui (its schema has step {version}, {name}; "
                f"this program knows {max(known)}): upgrade prune-tui to open it."
            )
        if digest != known[version].sha256:
            raise UserError(
                f"Step {version} of {path}'s schema ({name}) is not the one this prune-tui carries: "
                "open the file with the prune-tui that wrote it, or name another file with --db."
            )
    if len(applied) < len(known):
        return "outdated"
    views = con.execute(statements.query("applied_views")).fetchall()
    return "current" if views == [(_views_digest(),)] else "outdated"


def update(con: DuckDBPyConnection, path: Path) -> None:
    """Apply what is missing, in one transaction; cheap when nothing is.

    A file that an older program filled is first copied, to a name beside it; a warning in the log says so.

    Raises:
        UserError: as `state`, a table of the same name that is not ours stands in the way, or no copy can be made.
    """
    import duckdb

    found = state(con, path)
    if found == "current":
        return
    version = 0 if found in ("empty", "foreign") else max(_applied(con), default=0)
    newest = len(statements.migrations())
    copy = backup.make(con, path, version) if 0 < version < newest else None
    try:
        with transaction(con):
            _apply(con)
    except duckdb.Error as error:
        if copy is not None and not isinstance(error, duckdb.FatalException):  # the file is as it was
            copy.unlink()
        if not isinstance(error, duckdb.CatalogException):
            raise
        raise UserError(
            f"{path} holds tables of its own that stand in the way ({str(error).splitlines()[0]}): "
            "name another file with --db."
        ) from error
    if copy is not None:
        logger.warning(
            "%s was written by an older prune-tui: its schema is brought from step %d to %d. %s beside it is the file "
            "as it was; delete it when you need it no more.",
            path.name, version, newest, copy.name,
        )  # fmt: skip


def _applied(con: DuckDBPyConnection) -> set[int]:
    return {version for version, _, _ in con.execute(statements.query("applied_migrations")).fetchall()}


def _apply(con: DuckDBPyConnection) -> None:
    con.execute(statements.query("schema_ledger"))
    applied = _applied(con)
    pending = [migration for migration in statements.migrations() if migration.version not in applied]
    for migration in pending:
        con.execute(migration.text)
        con.execute(
            statements.query("record_migration"),
            {"version": migration.version, "name": migration.name, "sha256": migration.sha256},
        )
    for definition in _definitions():
        con.execute(definition)
    if applied and pending:  # what these ask builds on the views
        old_runs.describe(con)
        identity.resolve(con, identity.models_of(con))
        con.execute(statements.query("pairing_note_all"))
    con.execute(statements.query("record_views"), {"sha256": _views_digest()})


def _views_digest() -> str:
    return sha256("\0".join(_definitions()).encode()).hexdigest()


def _definitions() -> tuple[str, ...]:
    """What is replaced whenever it changed: macros, then the views that use them."""
    return (*statements.macros(), *statements.views())
