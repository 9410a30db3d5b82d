"""Where a number came from, on the screen: from a cell of Results and from a row of an answer."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from template import copied
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Static

from tui.app import Dashboard
from tui.query.screen import QueryScreen
from tui.query.sql_editor import SqlEditor
from tui.results.cell_screen import CellScreen
from tui.results.why_screen import WhyScreen, wanted
from tui.shell.queries import Reader, choices, chosen
from tui.widgets.grid import Grid
from warehouse.errors import UserError
from warehouse.read.grid import Entry, results


def text(pilot: Pilot, part: str) -> str:
    told = pilot.app.screen.query_one(f"#why-{part}", Static)
    return " ".join(" ".join(line.text for line in told.render_lines(told.size.region)).split())


async def traced(pilot: Pilot, until) -> WhyScreen:
    await until(pilot, lambda: isinstance(pilot.app.screen, WhyScreen))
    screen = pilot.app.screen
    assert isinstance(screen, WhyScreen)
    await until(pilot, lambda: screen.trace is not None)
    return screen


async def cell_shown(pilot: Pilot, database: Path, until) -> None:
    reader = Reader(database)
    [known] = reader.ask("a", reader.turn("a"), choices())
    one = next(choice for choice in known if choice.model.endswith("Llama-3.2-1B"))
    [rows] = reader.ask("a", reader.turn("a"), chosen("matrix_rows", [one.key]))
    matrix = results(rows)
    place = next(p for p in matrix.cells if p[0].task == "leaderboard_musr" and p[1].label == "40%")
    screen = CellScreen(Entry(*place, matrix.cells[place]))
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: screen.sheet() is not None)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_cell_leads_to_the_file_it_came_from_and_to_its_baselines(dashboard: Dashboard, study, until, size):
    async with dashboard.run_test(size=size) as pilot:
        await cell_shown(pilot, study, until)
        await pilot.press("w")
        await traced(pilot, until)
        assert "MuSR acc_norm: 0.4286 ± 0.0174; unpruned 0.3399" in text(pilot, "says")
        assert text(pilot, "verdict") == "All 2 checks that can be made here hold."
        assert "published_scores.csv, line 102" in text(pilot, "number")
        assert "✓ file: line 102 says the same number" in text(pilot, "number")
        assert "published_scores.csv, line 14" in text(pilot, "baseline")
        scroll = pilot.app.screen.query_one(VerticalScroll)
        assert scroll.has_focus
        assert scroll.region.right <= size[0]
        assert scroll.region.bottom <= size[1]
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, CellScreen)


@pytest.mark.slow
async def test_it_is_copied_as_json(dashboard: Dashboard, study, until):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await cell_shown(pilot, study, until)
        await pilot.press("w")
        await traced(pilot, until)
        await pilot.press("y")
        told = json.loads(pilot.app.clipboard)
        assert (told["number"]["value"], told["holds"]) == (0.4286, True)


@pytest.mark.slow
async def test_a_number_that_its_source_does_not_say_is_called_out(tmp_path: Path, until, study: Path):
    database = tmp_path / "results.duckdb"
    copied(study, database)
    with duckdb.connect(database) as con:
        con.execute("update metrics set value = 0.99 where task = 'leaderboard_musr' and level = '40'")
    async with Dashboard(database).run_test(size=(80, 24)) as pilot:
        await cell_shown(pilot, database, until)
        await pilot.press("w")
        await traced(pilot, until)
        assert "the number is not what its sources say" in text(pilot, "verdict")
        assert "✗ file: line 102 says 0.4286" in text(pilot, "number")


async def test_a_row_of_an_answer_leads_to_its_number(dashboard: Dashboard, until):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen) and pilot.app.screen.query(SqlEditor))
        query = pilot.app.screen
        assert isinstance(query, QueryScreen)
        query.query_one(SqlEditor).text = (
            "select model, pruning_pct, task, metric, filter, value from baseline_deltas "
            "where is_headline and task = 'piqa' and model like '%3.2-1B' and pruning_pct = 40"
        )
        await pilot.press("f5")
        await until(pilot, lambda: query.table is not None and not query.running)
        query.query_one("#answer", Grid).focus()
        await pilot.press("w")
        found = await traced(pilot, until)
        assert found.trace is not None
        assert query.table is not None
        assert found.trace.origin.number.value == query.table.rows[0][-1]


@pytest.mark.slow
async def test_a_number_that_is_not_there_is_answered_with_what_is(dashboard: Dashboard, until):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        row = {"model": "Llama-3.2-1B", "pruning_pct": 40, "task": "piqqa"}
        await pilot.app.push_screen(WhyScreen(wanted(row)))
        await until(pilot, lambda: "no results of 'piqqa': there is piqa" in text(pilot, "says"))


def test_a_row_that_names_no_number_says_what_it_lacks():
    with pytest.raises(UserError, match="it has no level, no task"):
        wanted({"model": "Llama-3.2-1B", "value": 0.5})
