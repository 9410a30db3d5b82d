"""The list of runs, narrowed to those that fit what is typed."""

from __future__ import annotations

import pytest


@pytest.fixture
def several(warehouse, driver):
    """Three runs, from the newest: "one failed", "cut off", "demo"."""
    warehouse.add()
    warehouse.add_failed()
    warehouse.add("20261124-041900-cut000", until=driver.cell("20", "demo_lambada"), name="cut off", method="l2")
    return warehouse


def names(app, driver) -> list[str]:
    return [row[0] for row in driver.table(app, "#runs")]


WORDS = (
    ("CUT", ["cut off"]),
    ("demo", ["one failed", "cut off", "demo"]),  # all are of the model demo
    ("interr", ["cut off"]),
    ("finished", ["demo"]),
    ("l2 off", ["cut off"]),
    ("20261124-0420", ["one failed"]),
    ("nothing like it", []),
)


@pytest.mark.slow
async def test_the_list_is_narrowed_as_words_are_typed(dashboard, several, driver):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        assert not dashboard.screen.query_one("#filter").display
        for typed, left in WORDS:
            await pilot.press("slash", *(key if key != " " else "space" for key in typed))
            await driver.settle(pilot)
            assert names(dashboard, driver) == left
            assert driver.text(dashboard, "#count") == f"{len(left)} of 3 runs"
            await pilot.press("escape")
            await driver.settle(pilot)
            assert names(dashboard, driver) == ["one failed", "cut off", "demo"]
            assert not dashboard.screen.query_one("#filter").display


@pytest.mark.slow
async def test_the_cursor_stays_on_its_run_while_the_list_is_narrowed_and_after(dashboard, several, driver):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("slash", *"o", "n")
        await driver.settle(pilot)
        assert names(dashboard, driver) == ["one failed"]
        await pilot.press("x", "x")  # now nothing fits, and the keys are letters
        await driver.settle(pilot)
        assert names(dashboard, driver) == []
        assert driver.text(dashboard, "#advice").strip() == ""
        await pilot.press("escape")
        await driver.settle(pilot)
        assert dashboard.screen.chosen().name == "one failed"
        await pilot.press("slash", *"cut", "enter")  # enter goes to the list, which stays narrowed
        await driver.settle(pilot)
        assert dashboard.screen.chosen().name == "cut off"
        assert names(dashboard, driver) == ["cut off"]
        await pilot.press("escape")
        await driver.settle(pilot)
        assert dashboard.screen.chosen().name == "cut off"
        assert names(dashboard, driver) == ["one failed", "cut off", "demo"]


async def test_a_run_that_comes_to_fit_the_filter_joins_the_list(dashboard, several, driver):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("slash", *"interrupted")
        several.add("20261124-042100-second", until=driver.cell("20", "demo_lambada"), name="another")
        await driver.until(pilot, lambda: names(dashboard, driver) == ["another", "cut off"])
        assert driver.text(dashboard, "#count") == "2 of 4 runs"
        assert dashboard.screen.chosen().name == "cut off"
