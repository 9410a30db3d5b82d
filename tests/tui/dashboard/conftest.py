"""The dashboard on the published study's data, with clocks and the user's own files out of the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tui.app import Dashboard


@pytest.fixture(autouse=True)
def own_user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user-data"))


@pytest.fixture
def dashboard(study: Path) -> Dashboard:
    return Dashboard(study)


class Until:
    """Waits for what threads and timers bring about, however slow the machine."""

    async def __call__(self, pilot: Pilot, fact: Callable[[], object], *, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not fact():
            assert time.monotonic() < deadline, "it did not come about"
            await pilot.pause(0.05)
        await pilot.pause()


@pytest.fixture
def until() -> Until:
    return Until()
