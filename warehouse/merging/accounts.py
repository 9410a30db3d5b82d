"""Whether every row belongs to an event that was merged, and every such event still has its rows.

Who deletes a row, or writes one, leaves the ledger as it is: a merge would find nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.store import statements
from warehouse.store.journal_lines import JournalIndex

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def altered(con: DuckDBPyConnection, runs_root: Path) -> dict[str, str]:
    """The runs whose rows are not those of their events, and what is wrong with them."""
    found = con.execute(statements.query("altered_rows")).fetchall()
    gone = {run_id: number for run_id, number, _ in found}
    surplus = {run_id: number for run_id, _, number in found}
    without = con.execute(statements.query("cells_without_metrics")).fetchall()
    for run_id in {run_id for run_id, _ in without}:
        seqs = [seq for run, seq in without if run == run_id]
        if emptied := _with_metrics(runs_root / run_id / "journal.jsonl", seqs):
            gone[run_id] = gone.get(run_id, 0) + emptied
    return {run_id: _said(gone[run_id], surplus.get(run_id, 0)) for run_id in sorted(gone)}


def _with_metrics(journal: Path, seqs: Iterable[int]) -> int:
    """Of how many of these events the journal knows metrics: a cell may have none."""
    try:
        index = JournalIndex(journal)
        lines = [index.find(seq) for seq in seqs]
    except OSError:
        return 0
    return sum(line is not None and line.cell is not None and bool(line.cell.metrics) for line in lines)


def _said(gone: int, surplus: int) -> str:
    parts = [f"rows of {gone} {'event' if gone == 1 else 'events'} are gone"] if gone else []
    if surplus:
        rows = "row belongs to no event, or is" if surplus == 1 else "rows belong to no event, or are"
        parts.append(f"{surplus} {rows} there twice")
    return " and ".join(parts)
