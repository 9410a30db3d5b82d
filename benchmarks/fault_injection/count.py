"""Rows written, lost and doubled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from warehouse.merging import merge
from warehouse.records.events import of_kind
from warehouse.records.facts import CellFacts
from warehouse.store import db, journal

Cells = Counter[tuple[str, str]]  # run and task


@dataclass(slots=True)
class Count:
    """What a fault did and found. `refused` counts polite refusals: sentences, where a program could have died."""

    fault: str
    rounds: int = 0
    written: int = 0
    lost: int = 0
    doubled: int = 0
    refused: int = 0

    def check(self, database: Path, runs: Path, acknowledged: Cells) -> None:
        """Merge what waits, then compare cells in the warehouse with those that were acknowledged."""
        merge.merge_all(database, runs, wait=60)
        with db.open_read(database, wait=60) as con:
            cells = Counter(con.execute("select run_id, task from cells").fetchall())
            metrics = Counter(con.execute("select run_id, task from metrics").fetchall())
        self.written += acknowledged.total()
        for found in (cells, metrics):
            self.lost += (acknowledged - found).total()
            self.doubled += (found - acknowledged).total() - len(found.keys() - acknowledged.keys())


def in_journals(runs: Path) -> Cells:
    return Counter(
        (path.parent.name, cell.task)
        for path in runs.glob("*/journal.jsonl")
        for cell in of_kind(journal.read(path)[0], CellFacts)
    )
