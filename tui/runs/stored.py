"""Runs that only the database knows: imports, and runs whose folders are gone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui.format import utc
from tui.runs.record import RunRow
from warehouse.records.run_state import RunState

if TYPE_CHECKING:
    from warehouse.read.runs import RunSummary

_STATES = {"planned": RunState.QUEUED, "started": RunState.INTERRUPTED}


class StoredRuns:
    """`rows` are of all runs in the database, as it was when it was last read."""

    def __init__(self, database: Path) -> None:
        self.rows: tuple[RunRow, ...] = ()
        self._database = database
        self._as_of: float | None = None

    def read_anew(self) -> None:
        """Let the next `read` read, whatever the file's time says."""
        self._as_of = None

    def read(self, *, busy: bool) -> None:
        """Read the database if it has changed.

        `busy` says that a run is at work: it merges every few seconds, and its journal has all that the list shows.

        Raises:
            UserError: it is held by another process, or is no database of ours; `rows` stay as they were.
        """
        if self._as_of is not None and (busy or self._changed_at() == self._as_of):
            return
        if not self._database.exists():
            self.rows = ()
            return
        from warehouse.read.runs import list_runs  # loads duckdb, once the first screen is shown

        changed_at = self._changed_at()
        self.rows = tuple(map(_row, list_runs(self._database, wait=0.0)))
        self._as_of = changed_at

    def _changed_at(self) -> float | None:
        try:
            return self._database.stat().st_mtime
        except FileNotFoundError:
            return None


def _row(summary: RunSummary) -> RunRow:
    return RunRow(
        run_id=summary.run_id,
        name=summary.name,
        model=summary.model or "",
        method=summary.method or "",
        repair=summary.repair or "none",
        suite=summary.suite,
        levels=tuple(summary.levels),
        tasks=(),
        state=_STATES.get(summary.state, summary.state),
        done=summary.cells_done,
        failed=summary.cells_failed,
        total=summary.cells_done + summary.cells_failed if summary.state == "finished" else None,
        current=None,
        seconds_left=None,
        created_at=utc(summary.created_at),
        origin=summary.origin,
    )
