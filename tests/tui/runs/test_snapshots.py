"""How the screens look, at the smallest and at a large size. `pytest --snapshot-update` takes new pictures."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from engine import gpu
from engine.planning import preview, task_index
from engine.planning.preview import Shape
from engine.planning.task_index import TaskEntry
from tui.app import Dashboard
from tui.new_run.screen import NewRunScreen
from tui.runs.run_grid import RunGrid
from warehouse.records.reading import Reading

pytestmark = pytest.mark.slow

SIZES = [(80, 24), (160, 45)]
LLAMA = Shape(
    model_type="llama", hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, vocab_size=128_256,
    parameters=1_235_814_400, parameters_per_neuron=98_304, fused=False, cache_per_token=16_384, dtype="bfloat16",
    device="cuda",
)  # fmt: skip
GPU = Reading(t=0.0, device="gpu 0", memory_used=2 * 2**30, memory_total=141 * 2**30)
CPU = Reading(t=0.0, device="cpu", memory_used=4 * 2**30, memory_total=16 * 2**30)


@pytest.fixture(autouse=True)
def _still(monkeypatch):
    monkeypatch.setattr(task_index, "load", lambda folders=(): (TaskEntry("piqa", "task"),))
    monkeypatch.setattr(preview, "inspect", lambda model: LLAMA)
    monkeypatch.setattr(gpu, "machine", lambda: [GPU, CPU])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def runs(warehouse, driver):
    """A finished run, one with a failed cell and one that was cut off."""
    warehouse.add()
    warehouse.add_failed()
    warehouse.add("20261124-041900-cut000", until=driver.cell("20", "demo_lambada"), name="cut off")
    return warehouse


@pytest.mark.parametrize("size", SIZES)
def test_runs(snap_compare, runs, driver, size):
    async def before(pilot):
        await driver.loaded(pilot)
        if size[1] > 36:  # room for the chosen run's grid
            await driver.until(pilot, lambda: pilot.app.screen.query_one(RunGrid).row_count)

    assert snap_compare(Dashboard(runs.database), terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", ["light", "high contrast"])
def test_runs_in_other_themes(snap_compare, runs, driver, theme):
    async def before(pilot):
        await driver.loaded(pilot)
        pilot.app.theme = theme
        await driver.settle(pilot)

    assert snap_compare(Dashboard(runs.database), terminal_size=(80, 24), run_before=before)


@pytest.mark.parametrize("size", SIZES)
def test_a_finished_run(snap_compare, warehouse, driver, size):
    warehouse.add()

    async def before(pilot):
        await driver.open_run(pilot)
        await pilot.press("j", "j", "j", "j", "l", "l")
        await driver.settle(pilot)

    assert snap_compare(Dashboard(warehouse.database), terminal_size=size, run_before=before)


def test_a_run_with_a_failed_cell(snap_compare, warehouse, driver):
    warehouse.add_failed()

    async def before(pilot):
        await driver.open_run(pilot)
        await pilot.press("j", "j", "j", "j", "l", "l")
        await driver.settle(pilot)

    assert snap_compare(Dashboard(warehouse.database), terminal_size=(80, 24), run_before=before)


def test_a_run_cut_off_without_colour(snap_compare, warehouse, driver, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    warehouse.add(until=driver.cell("20", "demo_lambada"))

    async def before(pilot):
        await driver.open_run(pilot)

    assert snap_compare(Dashboard(warehouse.database), terminal_size=(80, 24), run_before=before)


@pytest.mark.parametrize("size", SIZES)
def test_a_new_run(snap_compare, warehouse, driver, size, monkeypatch):
    monkeypatch.chdir(warehouse.database.parent)
    app = Dashboard(warehouse.database.relative_to(warehouse.database.parent))

    async def before(pilot):
        await driver.loaded(pilot)
        await pilot.press("n")
        await driver.until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.lookups.index)
        for field in app.screen.query(Input):
            field.cursor_blink = False
        app.screen.query_one("#model", Input).value = "meta-llama/Llama-3.2-1B"
        app.screen.query_one("#tasks", Input).value = "piqa@0"
        await driver.until(pilot, lambda: "free" in driver.text(app, "#memory"))

    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES)
def test_a_replay_half_way(snap_compare, warehouse, driver, size):
    run = warehouse.add()
    app = Dashboard(warehouse.database, replay=(run.path, 0.000001))

    async def before(pilot):
        await driver.until(pilot, lambda: getattr(app.screen, "detail", None) is not None)
        await pilot.press("space", *["right_square_bracket"] * 10)
        await driver.settle(pilot)

    assert snap_compare(app, terminal_size=size, run_before=before)


def test_a_first_start(snap_compare, warehouse, driver, monkeypatch):
    monkeypatch.chdir(warehouse.database.parent)
    app = Dashboard(warehouse.database.relative_to(warehouse.database.parent))
    assert snap_compare(app, terminal_size=(80, 24), run_before=driver.loaded)


def test_help(snap_compare, warehouse, driver):
    warehouse.add()

    async def before(pilot):
        await driver.open_run(pilot)
        await pilot.press("question_mark")
        await driver.settle(pilot)

    assert snap_compare(Dashboard(warehouse.database), terminal_size=(100, 40), run_before=before)
