"""Compare: models side by side, the best level of each and what improves everywhere, on the published figures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from cases import one_in
from textual.pilot import Pilot
from textual.widgets import Static

from tui.app import Dashboard
from tui.compare.screen import CompareScreen, _alike
from tui.query.screen import QueryScreen
from tui.query.sql_editor import SqlEditor
from tui.shell.choose import ChooseSeveral
from tui.widgets.grid import Grid
from warehouse.read.subjects import Subject

NARROW, WIDE = (80, 24), (160, 45)


def screen(pilot: Pilot) -> CompareScreen:
    assert isinstance(pilot.app.screen, CompareScreen)
    return pilot.app.screen


def lines(pilot: Pilot, which: str = "sides") -> list[str]:
    grid = pilot.app.screen.query_one(f"#{which}", Grid)
    return [" ".join(grid.render_line(y).text.split()) for y in range(grid.size.height)]


def said(pilot: Pilot, which: str) -> str:
    return str(pilot.app.screen.query_one(f"#{which}", Static).render())


async def shown(pilot: Pilot, until) -> None:
    await pilot.press("3")
    await until.all_compared(pilot)


@pytest.mark.slow
async def test_unasked_a_base_model_is_compared_with_base_models(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen) and screen(pilot).subjects)
        of_id = {row.model_id: row.model for row in screen(pilot)._known}
        shown = [of_id[one.partition("|")[0]] for one in screen(pilot).subjects or ()]
    assert shown == ["meta-llama/Llama-3.2-1B", "meta-llama/Llama-3.2-3B"]


@pytest.mark.slow
async def test_models_stand_side_by_side_at_equal_percentage(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        assert "▏Llama-3.2-1B ▏Llama-3.2-1B-Ins… ▏Llama-3.2-3B" in lines(pilot)[0]
        assert lines(pilot)[3] == "MMLU ○ 0.2511 ▼ -19.3% 0.4027 ▼ -11.6% ★ 0.4333 ▼ -22.7%"
        assert "Llama-3.2-3B 10% is best on 7 of 13 (3B parameters)" in said(pilot, "compare-verdict")
        await pilot.press("right_square_bracket")
        assert screen(pilot).at == 20
        assert "▏Llama-3.2-1B ▏Llama-3.2-3B" in lines(pilot)[0]
        await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        assert screen(pilot).at == 0


@pytest.mark.slow
async def test_at_equal_expansion_ratio_different_percentages_meet(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("e")
        await until(pilot, lambda: screen(pilot).at == 2.4)
        assert "▏40% · 4916 ▏40% · 4916 ▏10% · 7373" in lines(pilot)[1]
        wikitext = next(line for line in lines(pilot) if line.startswith("WikiText"))
        assert wikitext == "WikiText 56.33 ▽ +387% – – ★ 11.88 ▽ +28.2%"


@pytest.mark.slow
async def test_the_best_level_is_named_with_its_reasons(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("b", "b")
        await pilot.pause()
        assert pilot.app.screen.query_one("#compare-best").display
        assert not pilot.app.screen.query_one("#compare-left").display
        await until(pilot, lambda: "By the rule" in said(pilot, "best"))
        best = " ".join(said(pilot, "best").split())
        assert "Llama-3.2-1B: 10% (7373 neurons, 3.60×) keeps 90.1% of the unpruned scores" in best
        assert "with 93% of the parameters; 5 improve. Worst: LAMBADA, 28% kept." in best
        assert "Highest score of 6 levels; second: 20 % with 83.2 %" in best
        assert "By the rule keeps-most" in best


@pytest.mark.slow
async def test_what_improves_at_every_level_is_listed(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("b", "b", "b")
        await pilot.pause()
        assert lines(pilot, "improving")[2] == "IFEval Llama-3.2-1B 6 ≈ +23.2% ≈ +75.0% 30% 1 of 6"
        assert len(screen(pilot).query_one("#improving", Grid).model) == 6


@pytest.mark.slow
async def test_intervals_stand_beside_the_changes(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("i")
        await pilot.pause()
        assert lines(pilot)[4] == "GSM8K ▼ -40.3% -58.4…-17.1 ▼ -49.5% -56.3…-42.0 ▼ -47.2% -55.2…-38.3"
        assert not screen(pilot).query_one("#sides", Grid).show_horizontal_scrollbar
        await pilot.press("down")
        await pilot.pause()
        assert said(pilot, "compare-line").startswith("1B -40.3% [-58.4…-17.1] beyond noise · 1B-Instruct -49.5%")


@pytest.mark.slow
async def test_which_of_two_loses_more_is_tested_pair_by_pair(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("t")
        await pilot.pause()
        assert "Which loses more at 10%: Llama-3.2-1B and Llama-3.2-3B  1 of 3" in said(pilot, "tests-title")
        assert lines(pilot, "tests")[3] == "GSM8K -40.3% -47.2% -6.9 -28.6…+14.9 1.000 ≈ noise"
        told = {line.split()[0]: line for line in lines(pilot, "tests")[2:]}
        assert told["BoolQ"].endswith("<.001 ▼ 3B")
        assert told["WikiText"] == "WikiText +51.3% +28.2% -23.0 untested"
        assert said(pilot, "tests-says") == (
            "1B loses more on 0, 3B on 1 of 11 tested; 10 within noise; 2 untested, without standard errors."
        )
        await pilot.press("t", "t")
        await pilot.pause()
        assert "1B-Instruct and Llama-3.2-3B" in said(pilot, "tests-title")
        ifeval = next(line for line in lines(pilot, "tests") if line.startswith("IFEval"))
        assert ifeval.endswith("▼ 1B-Instruct")


@pytest.mark.slow
async def test_a_wide_terminal_shows_all_four_panes(dashboard: Dashboard, until):
    async with dashboard.run_test(size=WIDE) as pilot:
        await shown(pilot, until)
        for pane in ("#compare-sides", "#compare-tests", "#compare-best", "#compare-improving"):
            assert pilot.app.screen.query_one(pane).display, pane


@pytest.mark.slow
async def test_models_are_chosen_from_all_there_are(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseSeveral))
        await pilot.press("space", "down", "space", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen) and not screen(pilot).values())
        assert said(pilot, "compare-verdict") == "There is one model only: m chooses others to compare it with."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pane", "query", "rows"),
    one_in(
        4,
        [
            ("sides", "matrix_matched", 210),
            ("tests", "matrix_tests", 120),
            ("best", "matrix_levels", 18),
            ("improving", "matrix_improvements", 6),
        ],
    ),
)
async def test_each_pane_opens_its_own_sql(dashboard: Dashboard, until, pane: str, query: str, rows: int):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        while screen(pilot).pane != pane:
            await pilot.press("b")
        asked = screen(pilot).question(query)
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen) and pilot.app.screen.table is not None)
        opened = pilot.app.screen
        assert isinstance(opened, QueryScreen)
        assert opened.table is not None
        assert len(opened.table.rows) == rows
        assert opened.query_one(SqlEditor).text.strip() == asked.sql().strip()


async def test_without_results_it_says_what_to_do(tmp_path: Path, until):
    async with Dashboard(tmp_path / "results.duckdb").run_test(size=NARROW) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: bool(pilot.app.screen.query("#compare-empty")))
        await until(pilot, lambda: pilot.app.screen.query_one("#compare-empty").display)
        assert "I  brings in the published study" in said(pilot, "compare-empty")


def test_a_certified_file_is_not_compared_unless_asked_for():
    """It has no pruned level, and is the latest that was measured."""

    def one(model: str, levels: int, day: int) -> Subject:
        return Subject(model, model, False, "maw", "none", "all", 1, levels, ("run",), datetime(2026, 12, day))

    pruned, file, another = one("org/Tiny", 3, 1), one("tiny-40-q8_0.gguf", 0, 2), one("other.gguf", 0, 3)
    assert _alike([pruned, file, another]) == [pruned]
    assert _alike([file, another]) == [file, another]  # where there is nothing else
