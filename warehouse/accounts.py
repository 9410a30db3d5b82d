"""Whether every row belongs to an event that was merged, and every such event still has its rows.

Who deletes a row, or writes one, leaves the ledger as it is: a merge would find nothing to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from warehouse import statements
from warehouse.journal_lines import find_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def altered(con: DuckDBPyConnection, runs_root: Path) -> dict[str, str]:
    """The runs whose rows are not those of their events, and what is wrong with them."""
    found = con.execute(statements.query("altered_rows")).fetchall()
    gone = {run_id: number for run_id, number, _ in found}
    surplus = {run_id: number for run_id, _, number in found}
    for run_id, seq in con.execute(statements.query("cells_without_metrics")).fetchall():
        if _has_metrics(runs_root / run_id / "journal.jsonl", seq):
            gone[run_id] = gone.get(run_id, 0) + 1
    return {run_id: _said(gone[run_id], surplus.get(run_id, 0)) for run_id in sorted(gone)}


def _has_metrics(journal: Path, seq: int) -> bool:
    """Whether the journal knows of some: a cell may have none."""
    try:
        line = find_line(journal, seq)
    except OSError:
        return False
    return line is not None and bool(line.event.get("metrics"))


def _said(gone: int, surplus: int) -> str:
    parts = [f"rows of {gone} {'event' if gone == 1 else 'events'} are gone"] if gone else []
    if surplus:
        rows = "row belongs to no event, or is" if surplus == 1 else "rows belong to no event, or are"
        parts.append(f"{surplus} {rows} there twice")
    return " and ".join(parts)
