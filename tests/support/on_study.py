"""The dashboard on the published study's data, with clocks and the user's own files out of the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import settling
from textual.pilot import Pilot

from tui.app import Dashboard
from tui.compare.screen import CompareScreen
from tui.widgets.grid import Grid


@pytest.fixture(autouse=True)
def own_user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user-data"))
    monkeypatch.setattr("tui.app.node", lambda: "here")
    monkeypatch.setattr("tui.app.devices", lambda readings: "2 × H200")
    monkeypatch.setattr("tui.app._PULL_SECONDS", 0.1)
    monkeypatch.setattr("tui.runs.feed._IDLE_SECONDS", 0.2)
    settling.count(monkeypatch)


@pytest.fixture
def dashboard(study: Path) -> Dashboard:
    return Dashboard(study)


class Until:
    """Waits for what threads and timers bring about, however slow the machine."""

    async def __call__(self, pilot: Pilot, fact: Callable[[], object], *, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not settling.holds(fact):
            assert time.monotonic() < deadline, "it did not come about"
            await pilot.pause(0.05)
        await pilot.pause()

    settle = staticmethod(settling.settle)

    async def all_compared(self, pilot: Pilot) -> None:
        """Compare shows all that there is, the tuned model beside base ones, as if somebody had chosen them."""
        await self(pilot, lambda: isinstance(pilot.app.screen, CompareScreen) and pilot.app.screen.subjects)
        screen = pilot.app.screen
        assert isinstance(screen, CompareScreen)
        screen.subjects = [row.key for row in screen._known]
        screen.read()

        def shown() -> bool:
            grids = screen.query("#sides").results(Grid)
            names = {row.subject for row in screen._matched} | {row.subject for row in screen._best}
            return names == set(screen.subjects or ()) and any(len(grid.model) > 0 for grid in grids)

        await self(pilot, shown)


@pytest.fixture
def until() -> Until:
    return Until()
