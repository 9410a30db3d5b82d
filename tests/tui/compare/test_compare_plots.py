"""Compare's plots, its third basis, and the rule that is chosen and changed in place."""

from __future__ import annotations

from pathlib import Path

import pytest
from template import copied
from textual.pilot import Pilot
from textual.widgets import OptionList, Static, TextArea

from tui.app import Dashboard
from tui.compare.multiples import MultiplesScreen, SmallPlot
from tui.compare.rules_screen import RulesScreen
from tui.compare.screen import CompareScreen
from tui.results.plot_screen import PlotScreen
from tui.results.plot_widget import PlotView
from tui.results.plotting import Plot
from tui.widgets.grid import Grid
from warehouse.read.rules import read_rules

pytestmark = pytest.mark.slow


@pytest.fixture
def dashboard(study: Path, tmp_path: Path) -> Dashboard:
    """On a copy, which may be written to."""
    return Dashboard(copied(study, tmp_path / "results.duckdb"))


def drawn(view: PlotView) -> Plot:
    assert view.plot is not None
    return view.plot


async def shown(pilot: Pilot, until) -> CompareScreen:
    await pilot.press("3")
    await until.all_compared(pilot)
    assert isinstance(pilot.app.screen, CompareScreen)
    return pilot.app.screen


async def test_at_equal_parameters_a_model_meets_the_width_nearest_in_size(dashboard: Dashboard, until):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        compare = await shown(pilot, until)
        await pilot.press("e", "e")
        await until(pilot, lambda: compare.basis == "parameters" and compare._matched and compare.at)
        assert "Equal parameters (±2.5 %)" in str(compare.query_one("#compare-basis", Static).render())
        sizes: dict[float, dict[str, int]] = {}
        for row in compare._matched:
            sizes.setdefault(row.basis_value, {})[row.subject] = row.parameters or 0
        assert len(sizes) == 4  # 1B and 1B-Instruct: unpruned, 10, 40 and 60 %
        for at, of in sizes.items():
            assert len(of) == 2
            assert all(abs(parameters / at - 1) <= 0.026 for parameters in of.values())


async def test_the_plot_of_the_benchmark_under_the_cursor_stands_beside_the_tables(dashboard: Dashboard, until):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        compare = await shown(pilot, until)
        view = compare.query_one("#compare-plot", PlotView)
        await until(pilot, lambda: view.plot is not None)
        assert view.border_title == "MMLU against level"
        plot = drawn(view)
        assert len(plot.series) == 3
        assert plot.chance == 0.25
        compare.query_one("#sides", Grid).focus()
        await pilot.press("down")
        await until(pilot, lambda: view.border_title == "GSM8K against level")


async def test_all_benchmarks_are_small_plots_and_enter_shows_one_in_full(dashboard: Dashboard, until):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        compare = await shown(pilot, until)
        await pilot.press("P")
        await until(pilot, lambda: isinstance(dashboard.screen, MultiplesScreen) and dashboard.screen.query(SmallPlot))
        multiples = dashboard.screen
        plots = list(multiples.query(SmallPlot))
        await until(pilot, lambda: all(one.plot is not None for one in plots))
        assert len(plots) == 1 + 13
        looks: dict[str, set[tuple[str, str]]] = {}  # one that was not measured on a benchmark has no line there
        for one in plots:
            for line in drawn(one).series:
                looks.setdefault(line.label, set()).add((line.colour, line.marker))
        assert len(looks) == 3
        assert all(len(look) == 1 for look in looks.values())
        await pilot.press("l", "j", "enter")
        await until(pilot, lambda: isinstance(dashboard.screen, PlotScreen))
        full = dashboard.screen
        assert isinstance(full, PlotScreen)
        assert full._benchmark == plots[5].benchmark
        await pilot.press("escape", "escape")
        assert dashboard.screen is compare


async def test_the_rule_is_chosen_and_changed_in_place_and_what_is_wrong_is_said(dashboard: Dashboard, until):
    async with dashboard.run_test(size=(120, 40)) as pilot:
        compare = await shown(pilot, until)
        await pilot.press("u")
        await until(pilot, lambda: isinstance(dashboard.screen, RulesScreen) and dashboard.screen._rules)
        rules = dashboard.screen
        assert isinstance(rules, RulesScreen)
        listed, names = rules.query_one(OptionList), [one.name for one in rules._rules]
        await until(pilot, lambda: listed.option_count >= len(names) and listed.has_focus)
        listed.highlighted = names.index("narrowest")
        await pilot.press("enter")
        await until(pilot, lambda: dashboard.screen is compare)
        await until(pilot, lambda: compare._best and compare._best[0].rule == "narrowest")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(dashboard.screen, RulesScreen) and dashboard.screen._rules)
        rules = dashboard.screen
        text = rules.query_one(TextArea)
        await until(pilot, lambda: 'name = "narrowest"' in text.text)
        good = text.text.replace('name = "narrowest"', 'name = "mine"')
        text.text = "name = 1"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "A rule needs a name" in str(rules.query_one("#rules-said", Static).render()))
        assert text.text == "name = 1"
        text.text = good
        await pilot.press("ctrl+s")
        await until(pilot, lambda: dashboard.screen is compare)
    first = read_rules(dashboard.database)[0]
    assert (first.name, first.in_use) == ("mine", True)
