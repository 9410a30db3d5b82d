"""Results: the heat map and everything that its keys do, on the published study's figures."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from template import copied
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from tui.app import Dashboard
from tui.query.screen import QueryScreen
from tui.results.cell_screen import CellScreen
from tui.results.delta_matrix import DeltaMatrix
from tui.results.plot_screen import PlotScreen
from tui.results.plots import ACROSS
from tui.results.screen import ResultsScreen
from tui.shell.choose import ChooseOne, ChooseSeveral
from tui.shell.help_screen import HelpScreen
from tui.widgets.grid import Grid
from tui.widgets.key_footer import KeyFooter

NARROW, WIDE = (80, 24), (160, 45)


def screen(pilot: Pilot) -> ResultsScreen:
    assert isinstance(pilot.app.screen, ResultsScreen)
    return pilot.app.screen


def matrix(pilot: Pilot) -> DeltaMatrix:
    return pilot.app.screen.query_one(DeltaMatrix)


def lines(pilot: Pilot) -> list[str]:
    """The grid as it is drawn."""
    grid = matrix(pilot)
    return [grid.render_line(y).text.rstrip() for y in range(grid.size.height)]


def said(pilot: Pilot, which: str) -> str:
    return str(pilot.app.screen.query_one(f"#{which}", Static).render())


async def shown(pilot: Pilot, until) -> None:
    await pilot.press("2")
    await until(pilot, lambda: isinstance(pilot.app.screen, ResultsScreen) and bool(matrix(pilot).matrix.rows))


@pytest.mark.slow
async def test_at_80_columns_a_model_with_seven_levels_is_in_sight_whole(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        drawn = lines(pilot)
        assert drawn[1].split() == ["Benchmark", "unpruned", "10%", "20%", "30%", "40%", "50%", "60%"]
        mmlu = "0.3111 ▼○-19.3% ▼ -14.5% ▼ -16.1% ▼ -13.6% ▼ -16.2% ▼○-17.9%"
        assert " ".join(drawn[2].split()).startswith(f"MMLU {mmlu}")
        assert [line.split()[0] for line in drawn[2:15]][-1] == "LAMBADA"
        assert not pilot.app.screen.query_one("#results-side").display


@pytest.mark.slow
async def test_v_goes_through_the_views_and_V_back(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        for key, text in (
            ("v", "0.1035 ≈+0.0388 ≈+0.0240 ▲+0.0776"),
            ("v", "0.1035 ≈ +1.9σ ≈ +1.2σ ▲ +3.7σ"),
            ("v", "0.1035 ≈ 0.1423 ≈ 0.1275 ▲ 0.1811"),
            ("v", "0.1035 ≈ +37.5% ≈ +23.2% ▲ +75.0%"),
            ("V", "0.1035 ≈ 0.1423 ≈ 0.1275 ▲ 0.1811"),
        ):
            await pilot.press(key)
            await pilot.pause()
            assert " ".join(lines(pilot)[8].split()).startswith(f"IFEval {text}")


async def test_the_line_below_says_the_cell_in_words_as_the_cursor_moves(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("j", "j", "j", "j", "j", "j", "down", "l", "right", "l")
        await pilot.pause()
        assert said(pilot, "results-detail").startswith("MuSR, Llama-3.2-1B at 40%: acc_norm 0.4286 ± 0.0174")
        assert "better beyond noise (p = 0.0014 after Holm)" in said(pilot, "results-detail")
        await pilot.press("h", "left")
        await pilot.pause()
        assert "within noise" in said(pilot, "results-detail")


@pytest.mark.slow
async def test_columns_scroll_under_the_fixed_benchmarks(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("end")
        await pilot.pause()
        drawn = lines(pilot)
        assert drawn[2].split()[:3] == ["MMLU", "0.5605", "▼"]  # nothing of the column that is half out of sight
        assert drawn[2].endswith("▼ -53.8%")
        assert "Llama-3.2-3B" in drawn[0]
        assert said(pilot, "results-detail").startswith("MMLU, Llama-3.2-3B at 60%")


async def test_a_filter_narrows_as_it_is_typed_and_escape_clears_it(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("slash", *"truth")
        await pilot.pause()
        assert [benchmark.name for benchmark in matrix(pilot).matrix.rows] == ["TruthfulQA-MC1", "TruthfulQA-MC2"]
        await pilot.press("enter")
        assert matrix(pilot).has_focus
        assert "filter “truth”" in said(pilot, "results-title")
        await pilot.press("slash", *"zzz")
        await pilot.pause()
        assert "No benchmark has “zzz”" in said(pilot, "results-detail")
        await pilot.press("escape")
        await pilot.pause()
        assert len(matrix(pilot).matrix.rows) == 13
        assert not pilot.app.screen.query_one("#results-search", Input).display


async def test_sorting_goes_round_losses_gains_and_as_listed(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        order = []
        for _ in range(3):
            await pilot.press("o")
            await pilot.pause()
            order.append(matrix(pilot).matrix.rows[0].name)
        assert order == ["LAMBADA", "IFEval", "MMLU"]


async def test_a_click_on_a_heading_sorts_by_it(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.click(DeltaMatrix, offset=(50, 1))  # 30 %… the heading of the fifth column
        await pilot.pause()
        assert screen(pilot).sorting is not None
        assert matrix(pilot).matrix.rows[0].name == "LAMBADA"


@pytest.mark.slow
async def test_a_click_moves_the_cursor_and_a_second_one_opens_the_cell(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.click(DeltaMatrix, offset=(30, 4))
        await pilot.pause()
        assert matrix(pilot).cursor == Offset(2, 2)
        await pilot.click(DeltaMatrix, offset=(30, 4))
        await until(pilot, lambda: isinstance(pilot.app.screen, CellScreen))


@pytest.mark.slow
async def test_choosing_one_model_leaves_its_columns_only(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseSeveral))
        assert pilot.app.screen.query_one(OptionList).option_count == 3
        await pilot.press("space", "down", "space", "enter")
        await until(
            pilot, lambda: isinstance(pilot.app.screen, ResultsScreen) and len(matrix(pilot).matrix.columns) == 7
        )
        assert {width.model for width in matrix(pilot).matrix.columns} == {"meta-llama/Llama-3.2-3B"}
        assert "Llama-3.2-3B" in said(pilot, "results-title")


@pytest.mark.slow
async def test_another_metric_can_stand_for_a_benchmark(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press(*["j"] * 5, "M")  # PIQA
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseOne))
        labels = [str(option.prompt) for option in pilot.app.screen.query_one(OptionList).options]
        assert labels[0].startswith("acc  (")
        await pilot.press("down", "enter")
        await until(
            pilot,
            lambda: (
                isinstance(pilot.app.screen, ResultsScreen)
                and any(b.task == "piqa" and b.metric == "acc_norm" for b in matrix(pilot).matrix.rows)
            ),
        )


@pytest.mark.slow
async def test_a_cell_opens_with_all_its_metrics_and_says_that_imports_have_no_samples(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("j", "enter")  # GSM8K at 10 %
        await until(pilot, lambda: isinstance(pilot.app.screen, CellScreen))
        grid = pilot.app.screen.query_one("#cell-metrics", Grid)
        await until(pilot, lambda: len(grid.model) == 2)
        assert "strict-match" in grid.render_line(2).text
        assert "imported figures have none" in said(pilot, "cell-flips-says")
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, ResultsScreen)


@pytest.mark.slow
async def test_plots_step_through_benchmarks_axes_and_all_at_once(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press(*["j"] * 11, "P")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlotScreen))
        plots = pilot.app.screen
        assert isinstance(plots, PlotScreen)
        assert plots.plot().y.log  # WikiText's perplexity
        assert "lower is better" in said(pilot, "plot-title")
        await pilot.press("v")
        assert not plots.plot().y.log
        await pilot.press("e")
        first = plots.plot().series[0]
        assert [point.x for point in first.points][-1] == 1_235_814_400
        await pilot.press("a")
        kept = plots.plot().series[0].points[-1]
        assert (kept.x, kept.y) == (1_235_814_400, 100)
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen))


@pytest.mark.slow
async def test_help_tells_what_enter_does_though_the_table_takes_it(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        told = {words for _, lines in pilot.app.screen._keys for _, words, _ in lines}  # pyright: ignore[reportAttributeAccessIssue]
        assert "All metrics of the cell, and the samples behind it" in told


@pytest.mark.slow
async def test_the_title_of_a_plot_fits_80_columns(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("P")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlotScreen))
        plots = pilot.app.screen
        assert isinstance(plots, PlotScreen)
        for _ in plots._matrix.rows:
            for _ in ACROSS:
                await pilot.press("e")
                assert len(said(pilot, "plot-title")) <= 78
                assert said(pilot, "plot-title").endswith("er is better · bars ±1 SE")
            await pilot.press("j")
        await pilot.resize_terminal(60, 20)
        await until.settle(pilot)
        assert len(said(pilot, "plot-title")) <= 58
        assert said(pilot, "plot-title").endswith("er is better · bars ±1 SE")


@pytest.mark.slow
async def test_s_opens_the_matrix_as_sql_with_its_filter(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("slash", *"musr", "enter")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen) and pilot.app.screen.table is not None)
        query = pilot.app.screen
        assert isinstance(query, QueryScreen)
        assert query.table is not None
        assert len(query.table.rows) == 18
        benchmark = query.table.columns.index("benchmark")
        assert {row[benchmark] for row in query.table.rows} == {"MuSR"}


@pytest.mark.slow
async def test_a_copy_is_markdown_of_what_is_shown(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("y")
        await pilot.pause()
        assert "| MMLU" in pilot.app.clipboard
        assert "▼○-19.3%" in pilot.app.clipboard


@pytest.mark.slow
async def test_a_wide_terminal_shows_plot_and_facts_beside_and_a_narrow_one_hides_them(dashboard: Dashboard, until):
    async with dashboard.run_test(size=WIDE) as pilot:
        await shown(pilot, until)
        assert pilot.app.screen.query_one("#results-side").display
        assert "1,155,303,424" in said(pilot, "results-facts")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not pilot.app.screen.query_one("#results-side").display
        await pilot.resize_terminal(200, 60)
        await pilot.pause()
        assert pilot.app.screen.query_one("#results-side").display


@pytest.mark.slow
async def test_without_results_only_keys_that_do_something_are_offered_and_I_brings_in_the_study(tmp_path, until):
    def offered() -> set[str]:
        return {part.key for part in pilot.app.screen.query_one(KeyFooter).parts}

    async with Dashboard(tmp_path / "results.duckdb").run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "I" in offered())
        assert not {"v", "V", "P", "m"} & offered()
        await pilot.press("v", "P", "m", "I")
        await until(pilot, lambda: len(matrix(pilot).matrix.rows) == 13)
        await until(pilot, lambda: {"v", "P", "m"} <= offered())
        assert "I" not in offered()


@pytest.mark.slow
async def test_without_a_database_it_says_what_to_do_and_sees_it_come(tmp_path: Path, until):
    database = tmp_path / "results.duckdb"
    async with Dashboard(database).run_test(size=NARROW) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: pilot.app.screen.query("#results-empty") and said(pilot, "results-empty"))
        await until(pilot, lambda: pilot.app.screen.query_one("#results-empty").display)
        assert "n  starts a run" in said(pilot, "results-empty")
        # Another process, as from a shell: DuckDB does not let one process hold a file in two ways.
        command = [sys.executable, "-m", "prune_tui", "import", "published", "--db", str(database)]
        assert await asyncio.to_thread(subprocess.call, command, stdout=subprocess.DEVNULL) == 0
        await until(pilot, lambda: len(matrix(pilot).matrix.rows) == 13)
        assert not pilot.app.screen.query_one("#results-empty").display


@pytest.mark.slow
async def test_a_database_held_elsewhere_is_a_message_and_the_last_figures_stay(
    tmp_path: Path, until, monkeypatch: pytest.MonkeyPatch, study: Path
):
    database = tmp_path / "results.duckdb"
    copied(study, database)
    monkeypatch.setattr("tui.shell.reading._LOOK", 0.2)
    script = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    async with Dashboard(database).run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        holder = subprocess.Popen(
            [sys.executable, "-c", script, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            screen(pilot).reload()
            await until(pilot, lambda: f"PID {holder.pid}" in said(pilot, "results-said"))
            assert said(pilot, "results-said").startswith("Not refreshed, these are the last figures read.")
            assert len(matrix(pilot).matrix.rows) == 13
        finally:
            holder.communicate("")
        await until(pilot, lambda: not pilot.app.screen.query_one("#results-said").display)
