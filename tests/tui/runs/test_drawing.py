"""What a screen that shows runs draws while they work: what has changed, and no more, so that keys need not wait."""

from __future__ import annotations

import gc

import pytest
from template import copied
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import DataTable, RichLog

from tui.app import Dashboard
from tui.runs.run_grid import RunGrid

pytestmark = pytest.mark.slow


@pytest.fixture
def drawn(monkeypatch) -> list[str]:
    """The widgets that were drawn, by id or class."""
    names: list[str] = []
    update = Screen._on_timer_update

    def noted(screen: Screen) -> None:
        names.extend(widget.id or type(widget).__name__ for widget in screen._dirty_widgets)
        update(screen)

    monkeypatch.setattr(Screen, "_on_timer_update", noted)
    return names


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_where_nothing_is_new_nothing_is_drawn(dashboard, warehouse, driver, drawn, size):
    warehouse.add()
    async with dashboard.run_test(size=size) as pilot:
        await driver.loaded(pilot)
        for keys in ((), ("enter",)):  # the list, and the run
            await pilot.press(*keys)
            await driver.settle(pilot)
            drawn.clear()
            await driver.settle(pilot, pulls=5)
            assert drawn == []


async def test_in_a_run_at_work_only_the_cell_s_line_is_drawn_and_nothing_is_laid_out(
    dashboard, warehouse, driver, monkeypatch
):
    run = warehouse.add(until=driver.cell("20", "demo_sums"))
    whole = (warehouse.recording / "journal.jsonl").read_bytes()
    size = run.journal_path.stat().st_size
    async with dashboard.run_test(size=(160, 45)) as pilot:
        with run.lock():
            await driver.open_run(pilot)
            lines: list[int] = []
            laid_out: list[str | None] = []
            render, refresh = DataTable.render_line, Widget.refresh

            def rendered(table: DataTable, y: int):
                lines.append(y)
                return render(table, y)

            def refreshed(widget: Widget, *regions, layout: bool = False, **how):
                if layout:
                    laid_out.append(widget.id)
                return refresh(widget, *regions, layout=layout, **how)

            monkeypatch.setattr(DataTable, "render_line", rendered)
            monkeypatch.setattr(Widget, "refresh", refreshed)
            before = len(dashboard.screen.detail.log)
            following = whole[size:].split(b"\n")
            upto = next(i for i, line in enumerate(following) if b'"kind":"cell"' in line.replace(b": ", b":"))
            run.journal_path.write_bytes(whole[:size] + b"\n".join(following[: upto + 1]) + b"\n")
            await driver.until(pilot, lambda: len(dashboard.screen.detail.log) > before)
            log = dashboard.screen.query_one(RichLog)
            assert log.is_vertical_scroll_end
    assert len(set(lines)) == 1
    assert "log" not in laid_out
    assert not {"head", "cell", "grid"} & set(laid_out)


async def test_a_line_of_the_grid_that_was_kept_follows_cursor_and_theme(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.open_run(pilot)
        grid = dashboard.screen.query_one(RunGrid)
        seen = [grid.render_line(2)]
        for key in ("down", "right", "up"):
            await pilot.press(key)
            seen.append(grid.render_line(2))
        dashboard.theme = "light"
        await driver.settle(pilot)
        seen.append(grid.render_line(2))
        assert seen[0] != seen[1] != seen[2]
        assert seen[3] == seen[0]
        assert seen[4] != seen[3]


async def test_nothing_of_a_run_is_left_in_the_preview_of_one_that_has_none(dashboard, warehouse, driver, study):
    warehouse.add()
    copied(study, warehouse.database)
    async with dashboard.run_test(size=(160, 45)) as pilot:
        grid = dashboard.screen.query_one(RunGrid)
        await driver.until(pilot, lambda: grid.row_count)
        assert "unpruned" in grid.render_line(0).text
        await pilot.press("down")
        await driver.until(pilot, lambda: not grid.row_count)
        for _ in range(20):  # losing its lines, the grid changes its size, which once brought them back
            assert grid.render_line(0).text.strip() == ""
            await pilot.pause()


@pytest.mark.parametrize("headless", [True, False])
async def test_what_is_loaded_at_the_start_is_not_looked_through_for_garbage(warehouse, driver, monkeypatch, headless):
    """A full collection over it takes 60 ms. Not in tests, where one dashboard after another would stay."""
    frozen: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    monkeypatch.setattr(Dashboard, "is_headless", headless)
    dashboard = Dashboard(warehouse.database)
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await dashboard.workers.wait_for_complete()
    assert frozen == [True] * (not headless)
