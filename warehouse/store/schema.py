"""Bringing a file's schema up to date: numbered migrations once, macros and views whenever the file's are not ours."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from warehouse.errors import AlteredError, UserError
from warehouse.store import accounts, backup, catalog, identity, old_runs, statements, studies, template
from warehouse.store.catalog import LEDGER, Catalog, Differences
from warehouse.store.transaction import transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

logger = logging.getLogger(__name__)

State = Literal["current", "views", "outdated", "empty", "foreign"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What an open file needs: nothing, our views and macros put back, migrations, or everything; "foreign" has
    tables, none of ours. `version` is the last migration that it has been through.
    """

    state: State
    version: int = 0
    differences: Differences = field(default_factory=Differences)


def state(con: DuckDBPyConnection, path: Path) -> State:
    """As `standing`."""
    return standing(con, path).state


def standing(con: DuckDBPyConnection, path: Path) -> Standing:
    """How far an open file is this program's. Nothing that it holds is executed before it is known to be ours.

    Raises:
        UserError: the file was changed by a newer prune-tui, an applied migration differs from ours, or what it holds
            in place of our tables or of DuckDB's functions cannot be trusted.
    """
    theirs = catalog.read(con)
    ours = template.ours()
    if "schema_migrations" not in theirs.tables and "merged_events" not in theirs.tables:
        return Standing("foreign" if theirs.tables else "empty")
    ledger = {name: ours.tables[name] for name in LEDGER}
    _refuse(path, Differences(missing=catalog.missing(theirs, ledger), altered=catalog.altered(theirs, ledger)))
    version = _version(con, path)
    if version < len(statements.migrations()):
        differences = _compared(con, theirs, template.at_step(version))
        _refuse(path, differences)
        return Standing("outdated", version, differences)
    differences = _compared(con, theirs, ours)
    _refuse(path, differences)
    return Standing("views" if differences.replaced else "current", version, differences)


def _version(con: DuckDBPyConnection, path: Path) -> int:
    applied = con.execute(statements.query("applied_migrations")).fetchall()
    migrations = {migration.version: migration for migration in statements.migrations()}
    for version, name, digest in applied:
        if version not in migrations:
            raise UserError(
                f"{path} was written by a newer prune-tui (its schema has step {version}, {name}; "
                f"this program knows {max(migrations)}): upgrade prune-tui to open it."
            )
        if digest != migrations[version].sha256:
            raise UserError(
                f"Step {version} of {path}'s schema ({name}) is not the one this prune-tui carries: "
                "open the file with the prune-tui that wrote it, or name another file with --db."
            )
    if not applied or [version for version, _, _ in applied] != [*range(1, len(applied) + 1)]:
        raise AlteredError(path, "schema_migrations does not say how far its schema is")
    return len(applied)


def _compared(con: DuckDBPyConnection, theirs: Catalog, ours: Catalog) -> Differences:
    differences = catalog.compare(con, theirs, ours)
    once_ours = studies.left_in(theirs)
    return replace(differences, own=tuple(name for name in differences.own if name not in once_ours))


def _refuse(path: Path, differences: Differences) -> None:
    if differences.missing:
        raise AlteredError(path, f"it lacks {_listed(differences.missing)}")
    if differences.altered:
        raise AlteredError(path, f"not as prune-tui makes it: {_listed(differences.altered)}")
    if differences.shadows:
        raise AlteredError(path, f"it has its own {_listed(differences.shadows)} in place of DuckDB's")


def _listed(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def update(con: DuckDBPyConnection, path: Path) -> None:
    """Apply what is missing, in one transaction; cheap when nothing is. Views that another version put in are put in
    anew even where they are the same, for what is told of their columns.

    A file that an older program filled is first copied, to a name beside it; a warning in the log says so, as does one
    that names the views that were put back.

    Raises:
        UserError: as `standing`, a table of the same name that is not ours stands in the way, or no copy can be made.
    """
    import duckdb

    before = standing(con, path)
    if before.state == "current" and _put_in(con) == template.views_digest():
        return
    newest = len(statements.migrations())
    copy = backup.make(con, path, before.version) if 0 < before.version < newest else None
    try:
        with transaction(con):
            _apply(con, before.version)
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
            path.name, before.version, newest, copy.name,
        )  # fmt: skip
    if before.state == "views":
        logger.warning(
            "What %s had by the names of %s is not what this prune-tui makes: its own views and macros were put back.",
            path.name, _listed(before.differences.replaced),
        )  # fmt: skip


def _put_in(con: DuckDBPyConnection) -> str | None:
    [(digest,)] = con.execute(statements.query("views_put_in")).fetchall()
    return digest


def _apply(con: DuckDBPyConnection, version: int) -> None:
    template.migrate(con, [migration for migration in statements.migrations() if migration.version > version])
    if version:
        studies.drop_from_file(con)
    template.define(con, template.definitions())
    if 0 < version < len(statements.migrations()):  # what these ask builds on the views
        old_runs.describe(con)
        identity.resolve(con, identity.models_of(con))
        con.execute(statements.query("pairing_note_all"))
        accounts.note(con)
