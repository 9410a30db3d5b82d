"""The samples behind a cell: those that flipped against the unpruned model, with an exact paired test."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from template import copied
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tui.app import Dashboard
from tui.query.screen import QueryScreen
from tui.results.cell_screen import CellScreen
from tui.results.documents_screen import DocumentsScreen
from tui.shell.confirm import ConfirmScreen
from tui.shell.export_screen import ExportScreen
from tui.shell.queries import Question, Reader, choices, chosen
from tui.widgets.grid import Grid
from warehouse.read.grid import Entry, results
from warehouse.stats import pairing

BEFORE, AFTER = [1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 1]


@pytest.fixture
def sampled(tmp_path: Path, study: Path) -> Path:
    """The study, with samples of PIQA at the full width and at 40 %."""
    database = tmp_path / "results.duckdb"
    copied(study, database)
    with duckdb.connect(database) as con:
        for level, scores in (("0", BEFORE), ("40", AFTER)):
            run_id, seq = con.execute(
                "select run_id, seq from cells where task = 'piqa' and level = ? and run_id like '%-1b-scores-%'",
                [level],
            ).fetchall()[0]
            for doc_id, score in enumerate(scores):
                con.execute(
                    "insert into samples by name select ? as run_id, ? as seq, ? as level, 'piqa' as task, "
                    "? as doc_id, 'none' as filter, 'acc' as metric, ? as value, ?::json as response",
                    [run_id, seq, level, doc_id, score, str(score)],
                )
    pairing.rebuild(database)
    return database


def cell(database: Path):
    reader = Reader(database)
    [known] = reader.ask("a", reader.turn("a"), choices())
    [rows] = reader.ask("a", reader.turn("a"), chosen("matrix_rows", [known[0].key]))
    matrix = results(rows)
    place = next(p for p in matrix.cells if p[0].task == "piqa" and p[1].label == "40%")
    return Entry(*place, matrix.cells[place])


@pytest.mark.slow
def test_documents_whose_score_changed_come_with_the_counts_of_all(sampled: Path):
    reader = Reader(sampled)
    [rows] = reader.ask("a", reader.turn("a"), Question("cell_flips", cell(sampled).facts()))
    assert [(r.doc_id, r.before, r.after) for r in rows] == [(1, 1, 0), (2, 1, 0), (3, 1, 0), (5, 0, 1)]
    assert {(r.changed, r.rose, r.fell, r.documents) for r in rows} == {(4, 1, 3, 6)}


@pytest.mark.slow
async def test_the_cell_says_how_many_flipped_and_how_sure_that_is(sampled: Path, until):
    async with Dashboard(sampled).run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(CellScreen(cell(sampled)))
        says = pilot.app.screen.query_one("#cell-flips-says", Static)
        await until(pilot, lambda: "of 6 documents" in str(says.render()))
        assert "3 got worse and 1 better; by chance alone as uneven with p = 0.62" in " ".join(
            str(says.render()).split()
        )
        flips = pilot.app.screen.query_one("#cell-flips", Grid)
        assert flips.display
        assert flips.render_line(1).text.split()[:4] == ["1", "1.0000", "▼", "0.0000"]


async def opened(pilot: Pilot, database: Path, until) -> CellScreen:
    await pilot.press("2")
    screen = CellScreen(cell(database))
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: screen.sheet() is not None and len(screen.query_one("#cell-flips", Grid).model))
    return screen


@pytest.mark.slow
async def test_the_cell_says_how_sure_its_change_is(sampled: Path, until):
    async with Dashboard(sampled).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, sampled, until)
        sure = " ".join(str(screen.query_one("#cell-sure", Static).render()).split())
        assert "6 documents compared · 33.3% answered alike" in sure
        assert "chance scores 0.5000" in sure


@pytest.mark.slow
async def test_the_focused_table_of_the_cell_is_copied_and_opened_as_sql(sampled: Path, until):
    async with Dashboard(sampled).run_test(size=(80, 24)) as pilot:
        await opened(pilot, sampled, until)
        await pilot.press("y")
        assert "PIQA, Llama-3.2-1B at 40%: all metrics" in pilot.app.clipboard
        await pilot.press("tab", "y")
        assert "samples that changed" in pilot.app.clipboard
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen) and pilot.app.screen.table is not None)
        query = pilot.app.screen
        assert isinstance(query, QueryScreen)
        assert query.table is not None
        assert [row[1] for row in query.table.rows] == ["1", "2", "3", "5"] or [r[1] for r in query.table.rows] == [
            1, 2, 3, 5,
        ]  # fmt: skip


@pytest.mark.slow
async def test_the_focused_table_of_the_cell_is_exported(
    sampled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until
):
    monkeypatch.chdir(tmp_path)
    async with Dashboard(sampled).run_test(size=(80, 24)) as pilot:
        await opened(pilot, sampled, until)
        await pilot.press("tab", "ctrl+e")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExportScreen))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: list(tmp_path.glob("cell-*.csv")))
        [path] = tmp_path.glob("cell-*.csv")
        path.write_text("mine")
        await pilot.press("ctrl+e")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExportScreen))
        await pilot.press("down")
        pilot.app.screen.query_one(Input).value = path.name
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        assert path.read_text() == "mine"
        await pilot.press("y")
        await until(pilot, lambda: path.read_text() != "mine")
    lines = path.read_text().splitlines()
    assert lines[0].startswith("task,doc_id,before,after")
    assert len(lines) == 5


@pytest.mark.slow
async def test_enter_on_a_flip_leads_to_that_document(sampled: Path, until):
    async with Dashboard(sampled).run_test(size=(80, 24)) as pilot:
        await opened(pilot, sampled, until)
        await pilot.press("tab", "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, DocumentsScreen) and pilot.app.screen.rows)
        screen = pilot.app.screen
        assert isinstance(screen, DocumentsScreen)
        await until(pilot, lambda: screen.row is not None and screen.row.doc_id == 2)
        assert [row.doc_id for row in screen.shown] == [1, 2, 3, 5]
        for ids in ([1, 2, 3], [5], [0, 1, 2, 3, 4, 5]):
            await pilot.press("f")
            assert [row.doc_id for row in screen.shown] == ids
