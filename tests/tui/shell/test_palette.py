from __future__ import annotations

import pytest
from textual.command import CommandPalette
from textual.widgets import OptionList

from tui.app import Dashboard

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("screen", ["1", "2", "3", "4", "5"])
async def test_the_palette_opens_on_every_screen_and_tells_the_keys(dashboard: Dashboard, until, screen: str):
    async with dashboard.run_test(size=(100, 40)) as pilot:
        await pilot.press(screen)
        await until.settle(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(pilot.app.screen, CommandPalette))
        options = pilot.app.screen.query_one(OptionList)
        await until(pilot, lambda: options.option_count > 5)
        told = "\n".join(line.text for line in (options.render_line(y) for y in range(options.size.height)))
        assert "(" in told
    assert dashboard._exception is None
