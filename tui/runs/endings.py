"""Runs that end while the dashboard is open, told to whoever looks elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.app import App

from engine.errors import UserError
from tui.format import done_of
from tui.runs.record import RunRow
from tui.runs.states import state_word
from tui.shell import notices
from tui.shell.notices import Ended


class Endings:
    """Shown all runs again and again. The first time tells nothing, and a run that was deleted has not ended."""

    def __init__(self, app: App[Any], database: Path) -> None:
        self._app = app
        self._database = database
        self._at_work: set[str] = set()
        self._seen: Sequence[RunRow] = ()

    def look(self, rows: Sequence[RunRow]) -> None:
        """Tell of those that were at work when one looked last."""
        if rows is self._seen:
            return
        ended = [row for row in rows if row.run_id in self._at_work and not row.running]
        self._seen, self._at_work = rows, {row.run_id for row in rows if row.running}
        if not ended:
            return
        try:
            notices.tell(self._app, map(_ended, ended), database=str(self._database.resolve()))
        except UserError as error:
            self._app.notify(str(error), severity="warning")


def _ended(row: RunRow) -> Ended:
    said = f"run {row.name} has ended ({state_word(row)}), {done_of(row.done, row.total)}"
    return Ended(row.run_id, row.name, str(row.state), said)
