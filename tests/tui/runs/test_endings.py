"""The end of a run is told to whoever looks elsewhere, as `config` says."""

from __future__ import annotations

import pytest
from cases import one_in

from warehouse.records.run_state import RunState


@pytest.mark.parametrize(
    ("ways", "rings", "writes"), one_in(3, [("bell, desktop", 1, 1), ("bell", 1, 0), ("desktop", 0, 1)])
)
async def test_a_run_that_ends_rings_the_bell_or_tells_the_desktop(
    dashboard, warehouse, driver, monkeypatch, ways, rings, writes
):
    monkeypatch.setenv("PRUNE_TUI_NOTIFY", ways)
    rung, written = [], []
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    whole = (warehouse.recording / "journal.jsonl").read_bytes()
    async with dashboard.run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(type(dashboard), "bell", lambda self: rung.append(True))
        monkeypatch.setattr(dashboard._driver, "write", written.append)
        with run.lock():
            await driver.until(pilot, lambda: [row.state for row in dashboard.feed.snapshot.runs] == [RunState.RUNNING])
            assert not rung
            run.journal_path.write_bytes(whole)
        await driver.until(pilot, lambda: dashboard.feed.snapshot.runs[0].state == RunState.FINISHED)
        await driver.settle(pilot)
    told = [text for text in written if text.startswith("\x1b]9;")]
    assert (len(rung), len(told)) == (rings, writes)
    if told:
        assert told == ["\x1b]9;prune-tui: run demo has ended (finished), 32 of 32 evaluations are done\x07"]


async def test_a_command_is_run_with_the_runs_name_and_how_it_ended(
    dashboard, warehouse, driver, monkeypatch, tmp_path
):
    said = tmp_path / "said"
    monkeypatch.setenv(
        "PRUNE_TUI_ON_END", f'echo "$PRUNE_TUI_RUN_NAME $PRUNE_TUI_STATE" > {said}.new; mv {said}.new {said}'
    )
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        with run.lock():
            await driver.until(pilot, lambda: [row.state for row in dashboard.feed.snapshot.runs] == [RunState.RUNNING])
        await driver.until(pilot, said.exists)
    assert said.read_text() == "demo interrupted\n"


async def test_runs_that_had_ended_before_are_not_told_of(dashboard, warehouse, driver, monkeypatch):
    monkeypatch.setenv("PRUNE_TUI_NOTIFY", "bell")
    rung = []
    monkeypatch.setattr(type(dashboard), "bell", lambda self: rung.append(True))
    warehouse.add()
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
    assert rung == []
