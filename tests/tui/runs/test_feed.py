"""The feed looks at thousands of runs every second: at one whose files stay as they are, only from outside."""

from __future__ import annotations

import pytest

from engine.runs.rundir import RunDir
from tui.runs.feed import Feed
from warehouse.records.run_state import RunState
from warehouse.store import journal


@pytest.fixture
def feed(warehouse) -> Feed:
    feed = Feed(warehouse.database)
    warehouse.add()
    warehouse.add("20261124-041900-cut0000", until=lambda event: event["kind"] == "cell", name="cut off")
    feed._look()
    return feed


def states(feed: Feed) -> dict[str, str]:
    return {row.run_id: row.state for row in feed.snapshot.runs}


def test_settled_runs_are_not_read_again(feed: Feed, driver, monkeypatch: pytest.MonkeyPatch):
    assert list(states(feed).values()) == [RunState.INTERRUPTED, RunState.FINISHED]
    monkeypatch.setattr(journal, "read", lambda *_, **__: pytest.fail("a journal was read"))
    monkeypatch.setattr(RunDir, "holder", lambda _: pytest.fail("a lock was looked at"))
    before = feed.snapshot
    feed._look()
    assert feed.snapshot.runs is before.runs
    assert feed.snapshot.timings is before.timings


def test_a_lock_a_line_and_a_folder_are_each_seen_at_the_next_look(feed: Feed, driver, warehouse):
    cut = RunDir(warehouse.root / "20261124-041900-cut0000")
    with cut.lock():
        feed._look()
        assert states(feed)[cut.run_id] == RunState.RUNNING
    feed._look()
    assert states(feed)[cut.run_id] == RunState.INTERRUPTED
    whole = (warehouse.root / driver.RUN / "journal.jsonl").read_bytes()
    cut.journal_path.write_bytes(whole)
    feed._look()
    assert states(feed)[cut.run_id] == RunState.FINISHED
    (cut.path / "plan.json").rename(cut.path / "plan")
    (cut.path / "plan.json").write_text("{")
    feed._look()
    assert states(feed)[cut.run_id] == "damaged"
    cut.remove()
    feed._look()
    assert list(states(feed)) == [driver.RUN]


def test_a_watched_run_has_its_detail_and_one_no_more_watched_is_let_go(feed: Feed, driver):
    feed.watch(driver.RUN)
    feed._look()
    assert feed.snapshot.detail is not None
    assert feed.snapshot.detail.row.run_id == driver.RUN
    assert feed._runs[driver.RUN].tail is not None
    feed.watch(None)
    feed._look()
    assert feed.snapshot.detail is None
    assert feed._runs[driver.RUN].tail is None
