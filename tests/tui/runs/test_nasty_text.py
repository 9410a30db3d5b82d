"""Names, errors and log lines that would steer a terminal, close a markup tag or turn a line around stay text."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

NASTY = "\x1b]0;owned\x07\x1b[31m[bold][/nope][@click=app.quit]|`'; drop table x --\u202e\u200b<script>%s$(id)\r\n# h"


@pytest.fixture
def nasty(warehouse):
    """A run whose name, model, task, error and log lines are all of that kind."""
    run = warehouse.add_failed()
    quoted = json.dumps(NASTY)[1:-1]
    for path in (run.path / "plan.json", run.journal_path):
        text = path.read_text()
        for plain in ("one failed", "OutOfMemoryError", "no NVIDIA driver is installed"):
            text = text.replace(plain, plain + quoted)
        for field, value in (("task", "demo_sums"), ("model", "demo"), ("metric", "acc"), ("stage", "load model")):
            text = text.replace(f'"{field}": "{value}"', f'"{field}": "{value}{quoted}"')
        path.write_text(text)
    return run


def drawn(app) -> str:
    """All that would go to the terminal, without the styles."""
    screen = app.screen
    lines = []
    for strip in screen._compositor.render_strips():
        for one in app.get_line_filters():
            strip = strip.apply_filter(one, screen.styles.background)
        lines.append(strip.text)
    return "\n".join(lines)


def plain(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
async def test_every_live_screen_draws_it_as_text(dashboard, nasty, driver, size):
    async with dashboard.run_test(size=size) as pilot:
        await driver.loaded(pilot)
        assert plain(drawn(dashboard))
        assert "one failed" in drawn(dashboard)
        await driver.open_run(pilot)
        for key in ("end", "v", "b", "y", "question_mark", "escape", "d", "n", "ctrl+e", "escape", "R", "end"):
            await pilot.press(key)
            await driver.settle(pilot)
            assert plain(drawn(dashboard)), key
            ET.fromstring(dashboard.export_screenshot())  # a picture is still XML
        await pilot.press("escape", "c")
        await driver.settle(pilot)
        assert plain(drawn(dashboard))
    assert dashboard._exception is None


async def test_a_notification_is_no_markup(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(120, 40), notifications=True) as pilot:
        await driver.loaded(pilot)
        dashboard.screen.notify(NASTY, severity="error")
        await driver.until(pilot, lambda: "[bold]" in drawn(dashboard))
        (said,) = driver.said(dashboard)
        assert "[/nope]" in said
        assert "\x1b" not in said
        assert plain(drawn(dashboard))


async def test_a_copied_table_and_its_sql_hold_it_as_data(dashboard, nasty, driver):
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.open_run(pilot)
        sheet = dashboard.screen.sheet()
        table = sheet.markdown().strip().split("\n\n", 1)[1]
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1
        assert plain(sheet.markdown())
        assert "<script>" not in sheet.markdown().replace("\\<", "")
