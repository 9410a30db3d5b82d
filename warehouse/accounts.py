"""Whether the rows of every event are those that were merged, by digests in the ledger.

Who changes, adds or deletes a row leaves the ledger as it is: a merge would find nothing to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from warehouse import statements

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAMED = 3


def note(con: DuckDBPyConnection, run_id: str | None = None, first_seq: int = 0) -> None:
    """Write down what the rows are now of events that have no digest: of all, or of a run from an event on.

    Inside the transaction that brought the rows.
    """
    con.execute(_query("note_digests"), {"run_id": run_id, "first_seq": first_seq})


def altered(con: DuckDBPyConnection, runs_root: Path) -> dict[str, str]:
    """The runs whose rows are not those of their events, and what is wrong with them."""
    found = {}
    for (run_id,) in con.execute(_query("altered_runs")).fetchall():
        events = con.execute(_query("altered_events"), {"run_id": run_id}).fetchall()
        found[run_id] = _said(events)
        if not (runs_root / run_id / "journal.jsonl").exists():
            found[run_id] += " (no journal here tells what they were: take it in again, into another database)"
    return found


def _query(name: str) -> str:
    return statements.query(name).replace("{row_digests}", statements.query("row_digests"))


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
