"""A statement on its way to its answer."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from textual.geometry import Offset

from warehouse.console.waiting import Waiting
from warehouse.exporters.tables import Table

TIMEOUT = 60.0  # seconds


@dataclass(frozen=True, slots=True, eq=False)
class Fetch:
    """At most `limit` rows; all of them, which are to be exported, where it is None.

    `cursor` is where it was when more rows of the answer on the screen were asked for.
    """

    sql: str
    limit: int | None
    cursor: Offset | None = None
    began: float = field(default_factory=time.monotonic)
    _end: threading.Event = field(default_factory=threading.Event)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def for_export(self) -> bool:
        return self.limit is None

    def cancel(self) -> None:
        """End the process that answers."""
        self._end.set()

    def table(self, database: Path, processes: Waiting) -> Table:
        """Wait for the answer of one of `processes`, in a thread.

        Raises:
            CancelledError: `cancel` was called.
            UserError, OSError: there is none; says why.
        """
        from warehouse.console.console import run_sql

        return run_sql(database, self.sql, timeout=TIMEOUT, row_limit=self.limit, cancel=self._end, processes=processes)
