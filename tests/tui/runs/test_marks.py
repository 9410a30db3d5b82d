"""Several runs at once, and the run under the cursor beside the list."""

from __future__ import annotations

import pytest

from engine.runs import launch
from tui.runs.log_pane import LogPane
from tui.runs.run_grid import RunGrid
from tui.runs.runs_table import shortened
from tui.shell.confirm import ConfirmScreen


async def test_what_is_marked_is_resumed_and_deleted_together(dashboard, warehouse, driver, monkeypatch):
    ids = [f"20261124-04190{place}-cut00{place}" for place in range(3)]
    for place, run_id in enumerate(ids):
        warehouse.add(run_id, until=driver.cell("20", "demo_lambada"), name=f"cut {place}")
    started: list[str] = []
    monkeypatch.setattr(launch, "start", lambda run: started.append(run.run_id))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("space", "space")  # the two newest; the cursor goes on
        await driver.settle(pilot)
        assert [row[0][0] for row in driver.table(dashboard, "#runs")] == ["●", "●", "c"]
        assert driver.text(dashboard, "#runs-title").endswith("2 marked")
        await pilot.press("r")
        await driver.until(pilot, lambda: len(started) == 2)
        assert set(started) == set(ids[1:])
        assert "marked" not in driver.text(dashboard, "#runs-title")  # it was done
        await pilot.press("k", "space", "d")
        await driver.until(pilot, lambda: isinstance(dashboard.screen, ConfirmScreen))
        await pilot.press("n", "space", "d")
        await driver.until(pilot, lambda: isinstance(dashboard.screen, ConfirmScreen))
        said = str(dashboard.screen.query("Static").first().render())
        assert "Delete these runs?" in said
        assert "for good" in said
        assert all(run_id in said for run_id in ids[:2])
        await pilot.press("y")
        await driver.until(pilot, lambda: [row.run_id for row in dashboard.feed.snapshot.runs] == [ids[2]])


@pytest.mark.slow
async def test_a_running_run_among_the_marked_is_not_deleted(dashboard, warehouse, driver):
    warehouse.add()
    run = warehouse.add("20261124-042200-again00", until=driver.cell("20", "demo_lambada"))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        with run.lock():
            await driver.until(pilot, lambda: any(row.running for row in dashboard.feed.snapshot.runs))
            await pilot.press("space", "space", "d")
            await driver.until(pilot, lambda: driver.said(dashboard))
            assert "is running: stop it first" in driver.said(dashboard)[0]
            await pilot.press("escape")
            await driver.settle(pilot)
            assert "marked" not in driver.text(dashboard, "#runs-title")


async def test_beside_the_list_stand_the_runs_grid_its_rates_and_its_device(dashboard, warehouse, driver):
    warehouse.add(name="a name that would not fit into twenty characters")
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await driver.loaded(pilot)
        screen = dashboard.screen
        await driver.until(pilot, lambda: screen.query_one(RunGrid).row_count)
        assert driver.table(dashboard, "#runs")[0][0] == "a name that would not fit into twenty characters"
        assert "32/32 evaluations · took 7s" in driver.text(dashboard, "#side-head")
        assert "a name that would not fit into twenty characters" in driver.text(dashboard, "#side-head")
        assert "tokens/s" in driver.text(dashboard, "#speed")
        assert "CPU  2 cores" in driver.text(dashboard, ".numbers")
        log = screen.query_one("#side-log", LogPane)
        assert log.lines[-1].text.split()[1:] == ["finished"]
        log.display = False
        log.write_anew()  # as for another run, while it has no place
        await driver.settle(pilot)
        log.display = True
        await driver.until(pilot, lambda: max(line.cell_length for line in log.lines) > 40)
        left, right = screen.query_one("#listed").region, screen.query_one("#side").region
        assert left.right <= right.x
        assert right.height == left.height > 35
        await pilot.resize_terminal(80, 24)
        await driver.settle(pilot)
        assert not screen.query_one("#side").display


def test_a_long_name_is_cut_where_it_stays_apart_from_the_others():
    names = {"x-1": "llama obs 0.1", "x-2": "llama maw with much behind it", "x-3": "llama maw with more behind it"}
    assert shortened(names, 14) == {"x-1": "llama obs 0.1", "x-2": "llam… ·2", "x-3": "llam… ·3"}
    others = {"x-4": "published scores of 1B", "x-5": "published scores of 3B"}
    assert shortened(others, 14) == {"x-4": "publ…res of 1B", "x-5": "publ…res of 3B"}


@pytest.mark.slow
async def test_marked_runs_stand_side_by_side_in_compare(study, driver):
    from tui.app import Dashboard
    from tui.compare.screen import CompareScreen

    dashboard = Dashboard(study)
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.loaded(pilot)
        await driver.until(pilot, lambda: len(driver.table(dashboard, "#runs")) == 5)
        await pilot.press("G", "space", "k", "space", "B")  # the scores of Llama 3.2 1B and 3B
        await driver.until(pilot, lambda: isinstance(dashboard.screen, CompareScreen) and dashboard.screen._matched)
        compare = dashboard.screen
        assert isinstance(compare, CompareScreen)
        models = {row.model for row in compare._matched}
    assert models == {"meta-llama/Llama-3.2-1B", "meta-llama/Llama-3.2-3B"}
