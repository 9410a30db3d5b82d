"""Whether the rows of every event are those that were merged, by digests in the ledger.

Who changes, adds or deletes a row leaves the ledger as it is: a merge would find nothing to do.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.store import statements

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAMED = 3
_UNION = "\nunion all\n"
_TABLE = re.compile(r"as digest from (\w+)")


def note(con: DuckDBPyConnection) -> None:
    """Write down what the rows are now of all events that have no digest, inside the transaction that brought them."""
    con.execute(_query("note_digests"), {"run_id": None, "first_seq": None})


def note_new(con: DuckDBPyConnection, run_id: str, first_seq: int, tables: Collection[str]) -> None:
    """The same of a run's events from one on, whose rows are in these tables: others are not even planned for."""
    con.execute(_query("note_digests", tables), {"run_id": run_id, "first_seq": first_seq})


def altered(con: DuckDBPyConnection, runs_root: Path) -> dict[str, str]:
    """The runs whose rows are not those of their events, and what is wrong with them."""
    sentences = {}
    for (run_id,) in con.execute(_query("altered_runs")).fetchall():
        events = con.execute(_query("altered_events"), {"run_id": run_id}).fetchall()
        sentences[run_id] = _said(events)
        if not (runs_root / run_id / "journal.jsonl").exists():
            sentences[run_id] += " (no journal here tells what they were: take it in again, into another database)"
    return sentences


def _query(name: str, tables: Collection[str] | None = None) -> str:
    digests = _digests()
    chosen = [digests[table] for table in digests if tables is None or table in tables] or [*digests.values()]
    return statements.query(name).replace("{row_digests}", _UNION.join(chosen))


@cache
def _digests() -> dict[str, str]:
    """The queries for the digests of each table's rows."""
    parts = statements.query("row_digests").split(_UNION)
    return {_TABLE.findall(part)[-1]: part for part in parts}


def _said(events: list[tuple[int, int, str]]) -> str:
    """`events` has of each how many of its rows are gone, how many are added, and what it is."""
    gone = [what for lost, _, what in events if lost]
    added = [what for _, more, what in events if more]
    changed = [what for lost, more, what in events if not lost and not more]
    parts = [f"rows of {_events(gone)} are gone"] if gone else []
    if added:
        rows = sum(more for _, more, _ in events)
        parts.append(f"{rows} {'row was' if rows == 1 else 'rows were'} added ({_listed(added)})")
    if changed:
        parts.append(f"values of {_events(changed)} were changed")
    return " and ".join(parts)


def _events(named: list[str]) -> str:
    return f"{len(named)} {'event' if len(named) == 1 else 'events'} ({_listed(named)})"


def _listed(named: list[str]) -> str:
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + more
