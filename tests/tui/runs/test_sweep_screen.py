"""A sweep in the list and on its own screen: its runs, their places and logs, and the keys on all or on one."""

from __future__ import annotations

import json

import pytest

from engine.errors import UserError
from engine.runs.rundir import RunDir
from tui.results.screen import ResultsScreen
from tui.runs import actions, sweep_actions
from tui.runs.run_grid import RunGrid
from tui.runs.runs_screen import RunsScreen
from tui.runs.sweep_screen import SweepScreen
from tui.shell.confirm import ConfirmScreen

pytestmark = pytest.mark.slow

SWEEP = {"sweep": "20261124-041700-abc123", "sweep_name": "two-methods"}


def on(run: RunDir, host: str, gpu: int) -> RunDir:
    lines = []
    for line in run.journal_path.read_text().splitlines():
        event = json.loads(line)
        if event["kind"] == "attempt":
            event["host"] = host
            event["provenance"] |= {"device": "cuda:0", "gpu": {"visible": str(gpu)}}
        lines.append(json.dumps(event))
    run.journal_path.write_text("\n".join(lines) + "\n")
    return run


@pytest.fixture
def sweep(warehouse, driver):
    """One of its runs is done, one was cut off on another host, one was not begun."""
    on(warehouse.add("20261124-041733-7037b00", name="demo maw", **SWEEP), "node-1", 0)
    cut = warehouse.add(
        "20261124-041734-7037b01", name="demo l2", method="l2", until=driver.cell("20", "demo_lambada"), **SWEEP
    )
    on(cut, "node-2", 1)
    (warehouse.add("20261124-041735-7037b02", name="demo lsq", repair="lsq", **SWEEP).journal_path).unlink()
    return warehouse


async def open_sweep(pilot, driver):
    await driver.loaded(pilot)
    await pilot.press("enter")
    await driver.until(pilot, lambda: getattr(pilot.app.screen, "row", None) is not None)


def keys(app) -> set[str]:
    return {key for key in ("r", "x", "d", "c") if key in app.screen.active_bindings}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_a_sweep_is_one_line_of_the_list_and_opens_into_its_runs(dashboard, driver, sweep, size):
    async with dashboard.run_test(size=size) as pilot:
        await driver.loaded(pilot)
        [line] = driver.table(dashboard, "#runs")
        assert line[0] == "two-methods"
        assert "! interrupted" in line
        beside = "#side-head" if dashboard.screen.has_class("-wide") else "#advice"
        assert "nobody works on what is left" in driver.text(dashboard, beside).lower()
        if beside == "#side-head":  # with one of its runs
            await driver.until(pilot, lambda: dashboard.screen.query_one(RunGrid).row_count)
            assert "evaluations" in driver.text(dashboard, beside)
        await open_sweep(pilot, driver)
        head = driver.text(dashboard, "#head")
        assert "42/96 evaluations · 1 of 3 runs are done" in head
        rows = driver.table(dashboard, "#pieces")
        assert [row[0] for row in rows] == ["all 3 runs", "MAW", "L2", "MAW + LSQ"]
        assert ["gpu 0 on node-1" in row for row in rows] == [False, True, False, False]
        assert "node-2" in driver.text(dashboard, "#places")
        await pilot.press("j", "j")
        await driver.until(pilot, lambda: dashboard.screen.query_one("#log").display)
        await driver.until(pilot, lambda: dashboard.screen.query_one("#log").lines)
        assert dashboard.screen.query_one("#log").border_title == "Log of demo l2"
        assert "node-2" in dashboard.screen.query_one("#gpu").border_subtitle
        await pilot.press("enter")
        await driver.until(pilot, lambda: getattr(dashboard.screen, "detail", None) is not None)
        await pilot.press("escape")
        assert isinstance(dashboard.screen, SweepScreen)
        await pilot.press("escape")
        assert isinstance(dashboard.screen, RunsScreen)
        await pilot.press("W")
        await driver.until(pilot, lambda: isinstance(dashboard.screen, ResultsScreen))


async def test_the_filter_finds_a_sweep_by_its_runs(dashboard, driver, sweep):
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("slash", *"lsq")
        await driver.settle(pilot)
        assert [line[0] for line in driver.table(dashboard, "#runs")] == ["two-methods"]
        assert driver.text(dashboard, "#count") == "3 of 3 runs"
        assert len(dashboard.screen.sheet().rows) == 3


async def test_keys_act_on_all_on_the_first_line_and_below_on_one(dashboard, driver, sweep, monkeypatch):
    done: list[str] = []
    monkeypatch.setattr(sweep_actions, "resume", lambda row, database: done.append(f"all of {row.name}"))
    monkeypatch.setattr(actions, "resume", lambda row: done.append(row.name))
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await open_sweep(pilot, driver)
        assert keys(dashboard) == {"r", "d"}
        await pilot.press("r")
        await driver.until(pilot, lambda: done == ["all of two-methods"])
        await pilot.press("j")
        await driver.settle(pilot)
        assert keys(dashboard) == {"c", "d"}  # it is finished
        await pilot.press("j")
        await driver.settle(pilot)
        assert keys(dashboard) == {"r", "c", "d"}
        await pilot.press("r")
        await driver.until(pilot, lambda: done[1:] == ["demo l2"])


async def test_what_cannot_be_taken_up_says_why(dashboard, driver, sweep, monkeypatch):
    def refuse(row, database):
        raise UserError("The folder of the model is gone.")

    monkeypatch.setattr(sweep_actions, "resume", refuse)
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("r")  # on the list, where the sweep is one line
        await driver.until(pilot, lambda: "The folder of the model is gone." in driver.said(dashboard))


async def test_a_sweep_is_deleted_whole_after_a_question(dashboard, driver, sweep):
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await open_sweep(pilot, driver)
        await pilot.press("d")
        await driver.until(pilot, lambda: isinstance(dashboard.screen, ConfirmScreen))
        await pilot.press("y")
        await driver.until(pilot, lambda: isinstance(dashboard.screen, RunsScreen))
        await driver.until(pilot, lambda: not dashboard.feed.snapshot.runs)
    assert not list(sweep.root.glob("2026*"))
