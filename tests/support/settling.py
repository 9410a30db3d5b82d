"""Waiting for a dashboard to be at rest, by what it has done and never by the clock."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from textual.css.query import NoMatches
from textual.pilot import Pilot

from tui.app import Dashboard
from tui.runs.feed import Feed

_PATIENCE = 60.0  # seconds, on the busiest machine


def count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note on every feed and dashboard how often it has looked, and pulled."""
    look, pull = Feed._look, Dashboard._pull

    def looked(feed: Feed) -> None:
        done(feed)["begun"] += 1
        try:
            look(feed)
        finally:
            done(feed)["looks"] = done(feed)["begun"]

    async def pulled(app: Dashboard) -> None:
        await pull(app)
        done(app)["pulls"] += 1

    monkeypatch.setattr(Feed, "_look", looked)
    monkeypatch.setattr(Dashboard, "_pull", pulled)


def done(one: Any) -> Counter[str]:
    return one.__dict__.setdefault("_done_for_tests", Counter())


def holds(fact: Callable[[], object]) -> bool:
    """Whether it is so; of widgets that are not there yet, nothing is."""
    try:
        return bool(fact())
    except NoMatches:
        return False


async def settle(pilot: Pilot[Any], *, pulls: int = 1) -> None:
    """Until what is on its way has arrived: a look at the runs that began after now, so many pulls of what it saw,
    the threads that screens wait for, animations and messages.
    """
    app = pilot.app
    assert isinstance(app, Dashboard)
    await pilot.pause()
    begun = done(app.feed)["begun"]
    app.feed.look_again()  # else it would with its next turn
    await _until(app, lambda: done(app.feed)["looks"] > begun)
    before = done(app)["pulls"]
    for _ in range(pulls):
        app.call_later(app._pull)  # as its timer does
    await _until(app, lambda: done(app)["pulls"] >= before + pulls)
    await _until(app, lambda: all(worker.is_finished for worker in app.workers))
    await pilot.wait_for_animation()
    await pilot.pause()


async def _until(app: Dashboard, fact: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not fact() and not app._exit:
        if app._exception is not None:
            raise app._exception
        assert time.monotonic() < deadline, "it did not come to rest"
        await asyncio.sleep(0.005)
