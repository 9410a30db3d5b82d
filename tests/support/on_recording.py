"""A recorded run to look at, in whatever state a test needs it, on a clock that stands still."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import settling
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from engine.runs.rundir import RunDir
from tui.app import Dashboard
from warehouse.store import cache

RECORDINGS = Path(__file__).resolve().parents[1] / "data" / "recordings"
RUN = "20261124-041733-7037b0c"
NOW = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)

Pick = Callable[[dict[str, Any]], bool]


class Warehouse:
    """A database's place and the runs beside it."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "results.duckdb"
        self.root = folder / "results.runs"
        self.recording = RECORDINGS / RUN

    def add(self, run_id: str = RUN, *, until: Pick | None = None, **plan: Any) -> RunDir:
        """The recorded run under another id, its journal cut off after the first event that `until` picks."""
        made = self.root.with_name(f"{run_id}.made")
        shutil.copytree(RECORDINGS / RUN, made)
        record = json.loads((made / "plan.json").read_text())
        record["plan"] |= plan
        # The list is in the order in which the runs were made: ids begin with their time.
        created_at = datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        record |= {"created_at": created_at.isoformat(), "database": "../../results.duckdb"}
        (made / "plan.json").write_text(json.dumps(record))
        if until is not None:
            self.cut(made / "journal.jsonl", until)
        # It is there all at once: a dashboard at work must not read what is cut off a moment later.
        self.root.mkdir(exist_ok=True)
        return RunDir(made.rename(self.root / run_id))

    def cut(self, journal: Path, until: Pick) -> None:
        kept = []
        for line in journal.read_text().splitlines(keepends=True):
            kept.append(line)
            if until(json.loads(line)):
                break
        journal.write_text("".join(kept))

    def add_failed(self, run_id: str = "20261124-042000-failed0") -> RunDir:
        """The recorded run, had one of its cells ended in an error."""
        run = self.add(run_id, name="one failed")
        lines = []
        for line in run.journal_path.read_text().splitlines():
            event = json.loads(line)
            if event["kind"] == "cell" and (event["level"], event["task"]) == ("40", "demo_sums"):
                event = {key: event[key] for key in ("seq", "t", "level", "task")}
                event |= {"kind": "cell_failed", "error": "OutOfMemoryError: no room for one row", "detail": "…"}
            elif event["kind"] == "finished":
                event["failed"] = 1
            lines.append(json.dumps(event))
        run.journal_path.write_text("\n".join(lines) + "\n")
        return run


def cell(level: str, task: str) -> Pick:
    """Picks the event that says a cell is done."""
    return lambda event: event["kind"] == "cell" and (event["level"], event["task"]) == (level, task)


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(Dashboard, "now", lambda self: NOW)
    monkeypatch.setattr("tui.app.node", lambda: "here")
    monkeypatch.setattr("tui.app.devices", lambda readings: "2 × H200")
    monkeypatch.setattr("tui.app._PULL_SECONDS", 0.05)
    monkeypatch.setattr("tui.runs.feed._IDLE_SECONDS", 0.1)
    monkeypatch.setattr("tui.runs.feed._WATCH_SECONDS", 0.1)
    settling.count(monkeypatch)
    monkeypatch.setenv("TZ", "UTC")
    made = cache.folder("schema")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    own = cache.folder("schema")
    assert made is not None
    assert own is not None
    own.rmdir()
    own.symlink_to(made)  # a cache of the test's own, but for the empty database, which takes a second to make
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path)


@pytest.fixture
def dashboard(warehouse: Warehouse) -> Dashboard:
    return Dashboard(warehouse.database)


class Driver:
    """What tests do with a dashboard beside pressing keys."""

    RUN = RUN
    cell = staticmethod(cell)

    async def until(self, pilot: Pilot[None], true: Callable[[], object], *, seconds: float = 60.0) -> None:
        """Wait for what a thread or a worker brings about."""
        deadline = time.monotonic() + seconds
        while not settling.holds(true):
            if pilot.app._exception is not None:
                raise pilot.app._exception
            assert time.monotonic() < deadline, f"it did not happen in time; said: {self.said(pilot.app)}"
            await pilot.pause(0.05)
        await self.settle(pilot)

    async def seen(self, pilot: Pilot[None], true: Callable[[], object], *, seconds: float = 60.0) -> None:
        """As `until`, while something goes on in a thread that does not come to rest."""
        deadline = time.monotonic() + seconds
        while not settling.holds(true):
            assert time.monotonic() < deadline, "it did not happen in time"
            await pilot.pause(0.05)

    settle = staticmethod(settling.settle)

    async def loaded(self, pilot: Pilot[None]) -> None:
        """The runs are on the screen."""
        app = pilot.app
        assert isinstance(app, Dashboard)
        await self.until(pilot, lambda: app.feed.snapshot.loaded)

    async def open_run(self, pilot: Pilot[None]) -> None:
        """Open the run under the cursor, and wait for its grid."""
        await self.loaded(pilot)
        await pilot.press("enter")
        await self.until(pilot, lambda: getattr(pilot.app.screen, "detail", None) is not None)
        pilot.app.screen.query_one("#log").scroll_end(animate=False)
        await self.settle(pilot)

    def said(self, app: App[Any]) -> list[str]:
        return [notification.message for notification in app._notifications]

    def text(self, app: App[Any], selector: str) -> str:
        """What a Static says."""
        return str(app.screen.query_one(selector, Static).render())

    def table(self, app: App[Any], selector: str) -> list[list[str]]:
        """A table's cells as text, row by row."""
        table = app.screen.query_one(selector, DataTable)
        return [[str(value).strip() for value in table.get_row_at(index)] for index in range(table.row_count)]


@pytest.fixture
def driver() -> Driver:
    return Driver()
