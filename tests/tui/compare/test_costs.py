"""Costs in Compare: the published study's levels against what they cost on its card, and a budget."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tui.app import Dashboard
from tui.compare.costs_screen import CostsScreen
from tui.compare.fronts import table
from tui.results.plot_widget import PlotView

pytestmark = pytest.mark.slow


async def opened(pilot: Pilot, until) -> CostsScreen:
    await pilot.press("3")
    await until.all_compared(pilot)
    await pilot.press("dollar_sign")
    await until(pilot, lambda: isinstance(pilot.app.screen, CostsScreen) and pilot.app.screen.priced)
    assert isinstance(pilot.app.screen, CostsScreen)
    return pilot.app.screen


def says(screen: CostsScreen, which: str) -> str:
    return str(screen.query_one(f"#{which}", Static).render())


async def test_the_front_is_marked_beside_what_was_measured(dashboard: Dashboard, until):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        costs = await opened(pilot, until)
        assert "% kept, by the rule keeps-most against bytes of the weights" in says(costs, "costs-title")
        assert costs.priced is not None
        lines = table(costs._standings("memory"), None, "memory", costs.priced)
        of_model = [one for one in lines if one.subject == "Llama-3.2-1B"]
        assert [one.level for one in of_model] == ["unpruned", "10%", "20%", "30%", "40%", "50%", "60%"]
        assert of_model[0].quality == "100.0"
        assert of_model[6].cost == "1.51 GB"  # 1.402 GiB
        view = costs.query_one(PlotView)
        for size in ((80, 24), (120, 40), (200, 60)):
            await pilot.resize_terminal(*size)
            assert view.size.height >= 8
            assert costs.query_one("#costs-table").region.right <= size[0]
        await pilot.press("e")
        assert "against ms a token" in says(costs, "costs-title")
        assert view.plot is not None
        assert view.plot.series[0].label == "the front"
        await pilot.press("down")
        assert costs.benchmark is not None
        assert says(costs, "costs-title").startswith("MMLU, acc against ms a token")


async def test_a_budget_is_answered_for_each_model(dashboard: Dashboard, until):
    async with dashboard.run_test(size=(120, 40)) as pilot:
        costs = await opened(pilot, until)
        await pilot.press("tab")
        assert costs.query_one(Input).has_focus
        costs.query_one(Input).value = "max-memory 1.6GB max-ms-per-token 30"
        await pilot.press("enter")
        await until(pilot, lambda: "Llama-3.2-1B: 60 %, MAW, keeps " in says(costs, "budget-says"))
        assert "Llama-3.2-3B: none." in says(costs, "budget-says")
        costs.query_one(Input).value = "max-memory much"
        await pilot.press("enter")
        await until(pilot, lambda: "--max-memory much is no size" in says(costs, "budget-says"))
        await pilot.press("escape", "escape")
        assert not isinstance(dashboard.screen, CostsScreen)
