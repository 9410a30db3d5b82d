"""The line of keys: whole hints only, whatever the width, and `?` always among them."""

from __future__ import annotations

import pytest
from cases import one_in
from template import copied

from tui.app import Dashboard
from tui.widgets.key_footer import KeyFooter, Part

SCREENS = {
    "runs": (),
    "results": ("2",),
    "compare": ("3",),
    "query": ("4",),
    "query, without the editor": ("4", "escape"),
    "new run": ("n",),
    "run": ("enter",),
    "replay": ("R",),
}


def parts(app: Dashboard) -> list[Part]:
    return app.screen.query_one(KeyFooter).parts


@pytest.mark.parametrize("keys", one_in(8, SCREENS.values(), single=True), ids=SCREENS)
async def test_no_hint_is_cut_off(dashboard, warehouse, driver, keys):
    warehouse.add()
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press(*keys)
        for width in (80, 50, 160):
            await pilot.resize_terminal(width, 24)
            await driver.settle(pilot)
            assert max(part.right for part in parts(dashboard)) <= width
            assert told(dashboard) == line(dashboard).rstrip()
            assert "help" in {part.hint.binding.action for part in parts(dashboard)}


def told(app: Dashboard) -> str:
    return " ".join(f"{part.key} {part.words}".strip() for part in parts(app))


def line(app: Dashboard) -> str:
    """What the terminal's last line says."""
    return app.screen.query_one(KeyFooter).render_line(0).text


async def test_a_first_start_offers_nothing_to_open(dashboard, warehouse, driver):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        for screen in ("2", "1"):  # back on the first one, the table has the focus
            await pilot.press(screen)
            await driver.settle(pilot)
        assert "Quit" in told(dashboard)
        assert "Open" not in told(dashboard)
        warehouse.add()
        await driver.until(pilot, lambda: dashboard.feed.snapshot.runs)
        await driver.until(pilot, lambda: "⏎ Open" in told(dashboard))


@pytest.mark.slow
@pytest.mark.parametrize(("screen", "leave"), [("1", "esc All runs"), ("2", "esc All")], ids=["runs", "results"])
async def test_a_filter_that_is_typed_in_offers_how_to_leave_it_and_no_key_that_would_be_typed(
    dashboard, warehouse, driver, study, screen, leave
):
    warehouse.add()
    copied(study, warehouse.database)
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press(screen)
        await driver.until(pilot, lambda: "/ Filter" in told(dashboard) or (screen == "2" and dashboard.screen._known))
        await pilot.press("slash")
        await driver.until(pilot, lambda: leave in told(dashboard))
        assert "Filter" not in told(dashboard)
        assert "⏎ To the list" in told(dashboard)
        await pilot.press("l", "enter")
        await driver.until(pilot, lambda: "Help q Quit" in told(dashboard))
        await pilot.press("escape")
        await driver.until(pilot, lambda: leave not in told(dashboard))


@pytest.mark.slow
async def test_of_a_screen_s_keys_that_do_alike_one_gives_way_and_not_all(dashboard, warehouse, driver, study):
    copied(study, warehouse.database)
    async with dashboard.run_test(size=(62, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("2")
        await driver.until(pilot, lambda: "v View P Plot m Models" in told(dashboard))
        assert "Palette" not in told(dashboard)


async def test_what_there_is_no_room_for_comes_back_with_the_room(dashboard, warehouse, driver):
    warehouse.add()

    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await driver.settle(pilot)
        assert told(dashboard).endswith("o Sort n New ? Help q Quit")
        await pilot.resize_terminal(160, 24)
        await driver.settle(pilot)
        assert told(dashboard).endswith("o Sort n New ? Help q Quit ^p Palette")
        assert "R Replay" in told(dashboard)
        await pilot.resize_terminal(33, 24)
        await driver.settle(pilot)
        assert told(dashboard) == "⏎ Open / Filter ? Help q Quit"
