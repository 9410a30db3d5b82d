"""Making a database anew that was changed by other hands: from the journals, and from what only the file itself holds.

The new one is made under another name and takes the old one's place when it is whole; the old one is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.commands import hint
from warehouse.errors import UserError
from warehouse.filenames import beside
from warehouse.merging import merge
from warehouse.merging.merge import MergeReport
from warehouse.stats import pairing
from warehouse.store import accounts, catalog, db, identity, old_runs, statements, studies, template
from warehouse.store.catalog import LEDGER
from warehouse.store.transaction import transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_USERS = ("rules", "rule_weights", "rule_floors", "rule_choices")
_DERIVED = frozenset(
    {
        "paired_deltas", "paired_methods", "pairing_due", "run_identities", "task_identities", "task_versions",
        "schema_migrations", "schema_views",
    }
)  # fmt: skip
_BEFORE = "before"
Tables = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Remade:
    """`kept` is the file as it was; `events` of `runs` were carried over from it, since no journal holds them. `left`
    names what is in it alone: views and tables of the user's that could not be made again, with the reason.
    """

    merged: MergeReport
    kept: Path
    runs: int
    events: int
    left: tuple[str, ...]


def remake(path: Path, runs_root: Path, *, wait: float = 2.0) -> Remade:
    """Make the database anew and put it in the place of the old one.

    Raises:
        UserError: there is no such file, it is no database, or the disk refuses; the old one is as it was then.
        DatabaseBusyError: another process holds it.
    """
    import duckdb

    if not path.exists():
        raise UserError(
            f"There is no database {path} to make anew: {hint('merge', db=path)} makes one from the journals."
        )
    whole = path.resolve()
    draft = beside(whole, f"{os.getpid()}.new.wal").with_suffix("")
    log = _log(whole)
    with db.mendable(path):
        db.connect(whole, read_only=True, wait=wait).close()
        try:
            template.write(draft)
            con = db.connect(draft, read_only=False, wait=0, reach=[runs_root, whole, log])
            try:
                attach = statements.query("remake_attach").replace("{path}", str(whole).replace("'", "''"))
                try:
                    con.execute(attach)
                except duckdb.Error as error:
                    raise db.busy(path, str(error)) or error from error
                _check(con, path)
                merged = merge.merge_folders(con, merge.folders_of(path, runs_root))
                events, runs, left = _carry(con)
                pairing.refresh(con)
                con.checkpoint()
                kept = _swap(draft, whole)
            finally:
                con.close()
        finally:
            draft.unlink(missing_ok=True)
            _log(draft).unlink(missing_ok=True)
    return Remade(merged, path.with_name(kept.name), runs, events, tuple(left))


def _check(con: DuckDBPyConnection, path: Path) -> None:
    """Raises:
    UserError: the old file is not ours, or of a newer program.
    """
    theirs, steps = _tables(con, _BEFORE), len(statements.migrations())
    if not set(theirs) & (set(template.ours().tables) - set(LEDGER)):
        raise UserError(f"{path} is a DuckDB file without prune-tui's tables: name another with --db.")
    if "version" in theirs.get("schema_migrations", ()):
        [(newest,)] = con.execute(statements.query("remake_newest")).fetchall()
        if newest is not None and newest > steps:
            raise UserError(
                f"{path} was written by a newer prune-tui (its schema has step {newest}; this program knows {steps}): "
                "upgrade prune-tui to make it anew."
            )


def _carry(con: DuckDBPyConnection) -> tuple[int, int, list[str]]:
    """Bring over what the journals do not hold; returns how many events, of how many runs, and what could not be."""
    theirs, ours = _tables(con, _BEFORE), _tables(con, _name(con))
    left: list[str] = []
    facts = [table for table in ours if table in theirs and table not in _DERIVED and table not in _USERS]
    keyed = [table for table in facts if {"run_id", "seq"} <= set(theirs[table])]
    ledger = ["merged_events"] if "merged_events" in keyed else keyed
    if ledger:
        events = " union all ".join(f'select run_id, seq from before.main."{table}"' for table in ledger)
        con.execute(statements.query("remake_carried").replace("{events}", events))
        for table in keyed:
            with _one(con, table, left):
                _insert(con, "remake_insert", table, theirs, ours)
        con.execute(statements.query("remake_ledger"))
        if "events" in keyed:
            with _one(con, "events", left):
                _insert(con, "remake_notes", "events", theirs, ours)
        [(count, runs)] = con.execute(statements.query("remake_runs")).fetchall()
    else:
        count = runs = 0
    for table in _USERS:
        if table in theirs:
            with _one(con, table, left):
                _insert(con, "remake_users", table, theirs, ours)
    for table in sorted(set(theirs) - set(ours)):
        with _one(con, table, left):
            con.execute(statements.query("remake_own").replace("{table}", table.replace('"', '""')))
    _own_views(con, left)
    with transaction(con):
        old_runs.describe(con)
        identity.resolve(con, identity.models_of(con))
        con.execute(statements.query("pairing_note_all"))
        accounts.note(con)
    return count, runs, left


def _insert(con: DuckDBPyConnection, query: str, table: str, theirs: Tables, ours: Tables) -> None:
    columns = ", ".join(f'"{name}"' for name in ours[table] if name in theirs[table])
    con.execute(statements.query(query).replace("{table}", table).replace("{columns}", columns))


def _own_views(con: DuckDBPyConnection, left: list[str]) -> None:
    """Views may build on each other: tried again for as long as one more can be made."""
    then, there = catalog.read(con, _BEFORE), catalog.read(con, _name(con))
    ours = studies.left_in(then)
    waiting = {name: text for name, text in then.views.items() if name not in {*there.views, *there.tables, *ours}}
    while waiting:
        problems: list[str] = []
        again = {}
        for name, text in waiting.items():
            before = len(problems)
            with _one(con, name, problems):
                [statement] = con.extract_statements(text)
                con.execute(statement)
            if len(problems) > before:
                again[name] = text
        if len(again) == len(waiting):
            left += problems
            break
        waiting = again
    left += [*then.elsewhere, *(f"{name} (a macro)" for name in then.macros if name not in {*there.macros, *ours})]


@contextmanager
def _one(con: DuckDBPyConnection, name: str, left: list[str]) -> Iterator[None]:
    """One thing, or a line about why it stays in the old file alone."""
    import duckdb

    try:
        with transaction(con):
            yield
    except duckdb.IOException:  # the disk: of no use to go on
        raise
    except duckdb.Error as error:
        left.append(f"{name} ({str(error).splitlines()[0]})")


def _tables(con: DuckDBPyConnection, database: str) -> Tables:
    return dict(con.execute(statements.query("remake_columns"), {"database": database}).fetchall())


def _name(con: DuckDBPyConnection) -> str:
    [name] = set(catalog.names(con)) - {_BEFORE}
    return name


def _swap(draft: Path, path: Path) -> Path:
    """Put the draft in the place of the file, which is kept; at no moment is there none."""
    number = 1
    while (kept := path.with_name(f"{path.stem}.altered{f'-{number}' if number > 1 else ''}{path.suffix}")).exists():
        number += 1
    linked = False
    with suppress(OSError):  # a filesystem without hard links
        kept.hardlink_to(path)
        linked = True
    if not linked:
        path.rename(kept)
    if _log(path).exists():
        _log(path).rename(_log(kept))
    draft.replace(path)
    return kept


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")
