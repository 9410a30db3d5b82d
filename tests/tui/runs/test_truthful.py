"""What the screens say is so: while something is read, held, brought in or taken up again."""

from __future__ import annotations

import json
import threading

import pytest
from template import copied

from engine.errors import UserError
from engine.runs.rundir import RunDir
from tui.runs.stored import StoredRuns
from tui.runs.without import plan_without, unreachable_task
from tui.shell.choose import ChooseOne
from tui.shell.export_screen import ExportScreen
from tui.widgets.top_line import TopLine


def head(app) -> str:
    return str(app.screen.query_one(TopLine).render())


async def test_nobody_says_that_there_are_no_runs_while_the_database_is_read(
    dashboard, warehouse, driver, study, monkeypatch
):
    copied(study, warehouse.database)
    go, read = threading.Event(), StoredRuns.read
    monkeypatch.setattr(StoredRuns, "read", lambda self, *, busy: (go.wait(60), read(self, busy=busy)))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        for _ in range(5):
            await pilot.pause(0.1)
            assert not dashboard.screen.query_one("#empty").display
        assert "reading…" in driver.text(dashboard, "#runs-title")
        go.set()
        await driver.until(pilot, lambda: len(driver.table(dashboard, "#runs")) == 5)


async def test_a_display_that_is_held_says_so_on_every_screen_until_it_goes_on(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(120, 24)) as pilot:
        await driver.loaded(pilot)
        assert head(dashboard).endswith("results.duckdb · here · 2 × H200")
        await pilot.press("p")
        await driver.settle(pilot)
        assert "‖ held, p goes on" in head(dashboard)
        await pilot.press("enter")
        await driver.settle(pilot)
        assert "‖ held, p goes on" in head(dashboard)
        await pilot.press("p")
        await driver.settle(pilot)
        assert "held" not in head(dashboard)


async def test_an_import_is_told_of_until_it_is_done(dashboard, warehouse, driver, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr("tui.runs.actions.import_published", lambda database: go.wait(60))
    async with dashboard.run_test(size=(120, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("I")
        await pilot.pause()
        await driver.seen(pilot, lambda: "importing the study…" in head(dashboard))
        go.set()
        await driver.until(pilot, lambda: "importing" not in head(dashboard))


async def test_a_picture_of_the_screen_has_no_toast_in_it(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(80, 24), notifications=True) as pilot:
        await driver.loaded(pilot)
        dashboard.notify("something was said")
        await driver.seen(pilot, lambda: "something" in dashboard.export_screenshot())
        await pilot.press("ctrl+e")
        await driver.until(pilot, lambda: isinstance(dashboard.screen, ExportScreen))
        assert "something" not in dashboard.screen._picture
        assert "finished" in dashboard.screen._picture


async def test_after_resume_the_head_tells_of_the_new_attempt(dashboard, warehouse, driver):
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    lines = run.journal_path.read_text().splitlines()
    first = next(json.loads(line) for line in lines if json.loads(line)["kind"] == "attempt")
    last = json.loads(lines[-1])
    again = first | {"attempt": 2, "seq": last["seq"] + 1, "t": last["t"] + 60}
    async with dashboard.run_test(size=(120, 40)) as pilot:
        with run.lock():
            await driver.open_run(pilot)
            assert "attempt" not in driver.text(dashboard, "#head")
            with run.journal_path.open("a") as journal:
                journal.write(json.dumps(again) + "\n")
            await driver.until(pilot, lambda: "· attempt 2" in driver.text(dashboard, "#head"))
            assert "▶ running" in driver.text(dashboard, "#head")


async def test_a_run_whose_data_cannot_be_reached_can_be_started_without_that_task(
    dashboard, warehouse, driver, monkeypatch
):
    run = warehouse.add(until=lambda event: event["kind"] == "attempt")
    seq = len(run.journal_path.read_text().splitlines())
    refused = {"seq": seq, "t": 1795493860.0, "kind": "refused",
               "error": "The data of task 'demo_sums' cannot be reached (no network): check the network."}  # fmt: skip
    with run.journal_path.open("a") as journal:
        journal.write(json.dumps(refused) + "\n")
    started = []
    monkeypatch.setattr("engine.runs.create.start_new", lambda plan, database: started.append(plan) or run)
    async with dashboard.run_test(size=(80, 24), notifications=True) as pilot:
        await driver.loaded(pilot)
        assert "r tries again, or starts without it" in " ".join(driver.text(dashboard, "#advice").split())
        assert unreachable_task(dashboard.feed.snapshot.runs[0]) == "demo_sums"
        await pilot.press("r")
        await driver.until(pilot, lambda: isinstance(dashboard.screen, ChooseOne))
        await pilot.press("enter")
        await driver.until(pilot, lambda: started)
    before = [task.name for task in RunDir(run.path).plan.tasks]
    assert "demo_sums" in before
    assert [task.name for task in started[0].tasks] == [name for name in before if name != "demo_sums"]
    with pytest.raises(UserError, match="is a part of a group"):
        plan_without(started[0], "demo_sums")
