"""Playing a run back from its journal."""

from __future__ import annotations

import pytest

from engine.errors import UserError
from engine.runs.rundir import RunDir
from tui.runs.replay import RECORDING, Replay
from warehouse.records.run_state import RunState


def test_a_replay_goes_from_nothing_to_the_run_as_it_ended(warehouse):
    replay = Replay(warehouse.add().path)
    replay.move(0)
    assert replay.detail().row.done == 0
    replay.move(replay.length / 2)
    assert replay.detail().row.state == RunState.RUNNING
    half = replay.detail().row.done
    assert 0 < half < 32
    replay.move(replay.length)
    assert replay.at_end
    assert (replay.detail().row.state, replay.detail().row.done) == (RunState.FINISHED, 32)
    replay.move(-replay.length / 2)
    assert replay.detail().row.done == half


def test_a_night_between_two_attempts_is_not_waited_for(warehouse):
    run = warehouse.add()
    before = Replay(run.path).length
    lines = run.journal_path.read_text().splitlines(keepends=True)
    last = lines.pop()
    run.journal_path.write_text("".join(lines) + last.replace('"t":17', '"t":18'))
    assert Replay(run.path).length < before + 31


def test_a_damaged_journal_is_refused_with_a_sentence(warehouse):
    run = warehouse.add()
    run.journal_path.write_text("no event\n")
    with pytest.raises(UserError, match="damaged"):
        Replay(run.path)


@pytest.mark.slow
async def test_w_plays_the_run_back_and_its_keys_steer(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(100, 30)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("R")
        await driver.until(pilot, lambda: getattr(dashboard.screen, "detail", None) is not None)
        assert "×1 " in driver.text(dashboard, "#clock")  # as it went: it took seconds, and is not drawn out
        dashboard.screen._speed = 0.5
        await pilot.press("space")  # pause
        await pilot.press("home")
        await driver.until(pilot, lambda: dashboard.screen.detail.row.done == 0)
        assert "paused" in driver.text(dashboard, "#clock")
        await pilot.press("end")
        await driver.until(pilot, lambda: dashboard.screen.detail.row.done == 32)
        assert "end" in driver.text(dashboard, "#clock")
        await pilot.press("left_square_bracket", "plus")
        await driver.until(pilot, lambda: dashboard.screen.detail.row.done < 32)
        await driver.until(pilot, lambda: "×1 " in driver.text(dashboard, "#clock"))
        await pilot.press("escape")
        await driver.settle(pilot)
        assert type(dashboard.screen).__name__ == "RunsScreen"


async def test_prune_tui_replay_opens_on_the_replay(warehouse, driver):
    from tui.app import Dashboard

    run = warehouse.add()
    app = Dashboard(warehouse.database, replay=(run.path, 500.0))
    async with app.run_test(size=(100, 30)) as pilot:
        await driver.until(pilot, lambda: getattr(app.screen, "detail", None))
        await driver.until(pilot, lambda: getattr(app.screen, "detail").row.done == 32)  # noqa: B009


async def test_a_first_start_plays_the_recording_with_one_key_and_writes_nothing(dashboard, warehouse, driver):
    before = {path: path.stat().st_mtime_ns for path in RECORDING.iterdir()}
    async with dashboard.run_test(size=(100, 30)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("R")
        await driver.until(pilot, lambda: getattr(dashboard.screen, "detail", None) is not None)
        assert "RECORDING" in driver.text(dashboard, "#recording")
        await pilot.press("space", "end")
        await driver.until(pilot, lambda: dashboard.screen.detail.row.done == dashboard.screen.detail.row.total == 56)
        assert dashboard.screen.detail.row.state == RunState.FINISHED
        for key in ("r", "x", "d"):  # nothing to resume, stop or delete
            await pilot.press(key)
        await pilot.press("s")
        await driver.settle(pilot)
        assert any("not from the database" in said for said in driver.said(dashboard))
        await pilot.press("escape")
        await driver.settle(pilot)
        assert type(dashboard.screen).__name__ == "RunsScreen"
    assert {path: path.stat().st_mtime_ns for path in RECORDING.iterdir()} == before
    assert not warehouse.database.exists()
    assert not warehouse.root.exists()


def test_the_recording_is_a_finished_run_and_names_no_machine():
    assert RunDir(RECORDING).state() == RunState.FINISHED
    assert RunDir(RECORDING).history()[0].failures == {}
    text = (RECORDING / "journal.jsonl").read_text() + (RECORDING / "plan.json").read_text()
    assert '"/' not in text
