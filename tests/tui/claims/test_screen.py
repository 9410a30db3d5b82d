"""Claims: what the study says, held against the published figures and against nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Static

from tui.app import Dashboard
from tui.claims import screen as claims_screen
from tui.claims.screen import ClaimsScreen
from tui.query.screen import QueryScreen
from tui.query.sql_editor import SqlEditor
from tui.shell.choose import ChooseSeveral
from tui.shell.help_screen import HelpScreen
from tui.widgets.grid import Grid
from warehouse.store import db

NARROW, WIDE = (80, 24), (160, 45)


def screen(pilot: Pilot) -> ClaimsScreen:
    assert isinstance(pilot.app.screen, ClaimsScreen)
    return pilot.app.screen


def listed(pilot: Pilot) -> list[str]:
    grid = screen(pilot).query_one(Grid)
    return [" ".join(grid.render_line(y).text.split()) for y in range(grid.size.height)]


def drawn(pilot: Pilot, part: str) -> str:
    told = screen(pilot).query_one(f"#claims-{part}", Static)
    return " ".join(" ".join(line.text for line in told.render_lines(told.size.region)).split())


async def shown(pilot: Pilot, until) -> None:
    await pilot.press("5")
    await until(pilot, lambda: isinstance(pilot.app.screen, ClaimsScreen) and pilot.app.screen.claims)
    await until(pilot, lambda: drawn(pilot, "words"))


@pytest.mark.slow
@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_every_claim_is_listed_with_its_verdict_and_told_with_its_numbers(dashboard: Dashboard, until, size):
    async with dashboard.run_test(size=size) as pilot:
        await shown(pilot, until)
        assert listed(pilot)[1] == "1 IFEval improves at every level, whatever the size ± mixed"
        assert listed(pilot)[7] == "7 LAMBADA collapses more severely in the larger model ✗ not supported"
        assert listed(pilot)[11] == "11 Instructions and truthfulness hold while knowledge goes ± mixed"
        assert "2 supported, 2 not supported, 7 mixed" in drawn(pilot, "title")
        assert "✓ Llama-3.2-1B: IFEval better at 6 of 6 levels, 1 beyond noise" in drawn(pilot, "words")
        assert "Llama-3.2-1B ≈ +37.5% ≈ +23.2% ▲ +75.0% ≈ +46.5% ≈ +48.2% ≈ +32.2%" in drawn(pilot, "numbers")
        assert "The test – Supported if every level is better" in drawn(pilot, "test")
        for part in (screen(pilot).query_one(Grid), screen(pilot).query_one(VerticalScroll)):
            assert part.region.right <= size[0]
            assert part.region.bottom < size[1]


@pytest.mark.slow
async def test_the_cursor_chooses_the_claim_and_enter_reads_it(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press(*["j"] * 4)
        await until(
            pilot, lambda: "from chance at 10 % the smaller keeps 2 %, the larger 59 %" in drawn(pilot, "words")
        )
        await pilot.press("enter", "end")
        scroll = screen(pilot).query_one(VerticalScroll)
        assert scroll.has_focus
        await until(pilot, lambda: scroll.scroll_y > 0)
        await pilot.press("escape", "down")
        assert screen(pilot).query_one(Grid).has_focus
        await until(pilot, lambda: scroll.scroll_y == 0)
        assert screen(pilot).claim == screen(pilot).claims[5]


@pytest.mark.slow
async def test_s_opens_what_is_behind_it_and_y_copies_it(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("y")
        await until(pilot, lambda: "| claim |" in pilot.app.clipboard)
        assert "not supported" in pilot.app.clipboard
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen) and pilot.app.screen.query(SqlEditor))
        await until(pilot, lambda: "from claim_findings" in pilot.app.screen.query_one(SqlEditor).text)


@pytest.mark.slow
async def test_m_chooses_whose_results_are_asked(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseSeveral))
        await pilot.press("a", "space", "enter")  # of the three, which are all chosen, the first
        await until(pilot, lambda: "1 of 3 models" in drawn(pilot, "title"))
        assert "6 supported, 5 cannot tell" in " ".join(drawn(pilot, "title").split())
        await pilot.press("y")
        await until(pilot, lambda: "| claim |" in pilot.app.clipboard)
        assert "Llama-3.2-1B" in pilot.app.clipboard
        assert "Llama-3.2-3B" not in pilot.app.clipboard
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen) and pilot.app.screen.query(SqlEditor))
        await until(pilot, lambda: "claim_findings_of([" in pilot.app.screen.query_one(SqlEditor).text)


@pytest.mark.slow
async def test_of_many_models_the_ones_with_the_latest_runs_are_asked(dashboard: Dashboard, until, monkeypatch):
    monkeypatch.setattr(claims_screen, "_FIRST", 2)
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        assert "2 of 3 models" in drawn(pilot, "title")


@pytest.mark.slow
async def test_a_database_without_results_says_what_is_missing(tmp_path: Path, until):
    database = tmp_path / "results.duckdb"
    with db.open_write(database):
        pass
    async with Dashboard(database).run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        assert "11 cannot tell" in drawn(pilot, "title")
        assert listed(pilot)[1].endswith("? cannot tell")
        assert "Missing: IFEval at full width and at two pruned widths or more." in drawn(pilot, "words")
        assert drawn(pilot, "numbers") == "Nothing that this claim is about was measured."
        await pilot.press("y")
        await until(pilot, lambda: "cannot tell" in pilot.app.clipboard)


async def test_without_a_database_it_says_how_to_get_one(tmp_path: Path, until):
    async with Dashboard(tmp_path / "results.duckdb").run_test(size=NARROW) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: isinstance(pilot.app.screen, ClaimsScreen))
        await until(pilot, lambda: "I brings the study's results in" in drawn(pilot, "said"))


@pytest.mark.slow
async def test_the_help_and_the_palette_name_it(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        commands = {command.title: command.help for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert commands["Claims"] == "Which of the study's claims the results support (5)"
        await shown(pilot, until)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
