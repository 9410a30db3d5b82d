"""How Results, its plots and dialogs, Compare and Query look, at the sizes that matter."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tui.app import Dashboard
from tui.query.screen import QueryScreen
from tui.query.sql_editor import SqlEditor
from tui.results.delta_matrix import DeltaMatrix
from tui.results.document_text import Side
from tui.results.documents_screen import DocumentsScreen

pytestmark = pytest.mark.slow

SIZES = [(80, 24), (160, 45)]
SQL = (
    "-- what IFEval gains\nselect model, pruning_pct, round(delta_pct, 1) as delta_pct, stderr\nfrom baseline_deltas\n"
    "where benchmark = 'IFEval' and is_headline and model like '%1B'\norder by pruning_pct"
)


def at(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


async def results(pilot: Pilot, until) -> None:
    await pilot.press("2")
    await until(pilot, lambda: bool(pilot.app.screen.query(DeltaMatrix)))
    await until(pilot, lambda: bool(pilot.app.screen.query_one(DeltaMatrix).matrix.rows))
    await pilot.press(*["j"] * 6, "l", "l")
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=at)
@pytest.mark.parametrize(
    "keys",
    [
        pytest.param("l h", id="relative"),
        pytest.param("V", id="scores"),
        pytest.param("v v", id="significance"),
        pytest.param("P", id="plot"),
        pytest.param("m", id="models"),
    ],
)
def test_results(snap_compare, study: Path, until, size: tuple[int, int], keys: str):
    async def go(pilot: Pilot) -> None:
        await results(pilot, until)
        await pilot.press(*keys.split())
        await until.settle(pilot)

    assert snap_compare(Dashboard(study), terminal_size=size, run_before=go)


@pytest.mark.parametrize("size", SIZES, ids=at)
def test_documents(snap_compare, questioned: Path, until, size: tuple[int, int]):
    unpruned, pruned = Side("unpruned", "r1", "0", "unpruned"), Side("40%", "r1", "40", "40%")

    async def go(pilot: Pilot) -> None:
        await pilot.app.push_screen(DocumentsScreen("piqa", "acc", "none", pruned, unpruned, among=[unpruned, pruned]))
        await until(pilot, lambda: "document 0" in str(pilot.app.screen.query_one("#document").border_title))
        await until.settle(pilot)

    assert snap_compare(Dashboard(questioned), terminal_size=size, run_before=go)


def test_results_without_any(snap_compare, tmp_path: Path, until):
    async def go(pilot: Pilot) -> None:
        await pilot.press("2")
        await until(pilot, lambda: bool(pilot.app.screen.query("#results-empty")))
        await until(pilot, lambda: pilot.app.screen.query_one("#results-empty").display)

    assert snap_compare(Dashboard(tmp_path / "results.duckdb"), terminal_size=(80, 24), run_before=go)


@pytest.mark.parametrize("theme", ["light", "high contrast"])
def test_results_in_other_themes(snap_compare, study: Path, until, theme: str):
    async def go(pilot: Pilot) -> None:
        pilot.app.theme = theme
        await results(pilot, until)

    assert snap_compare(Dashboard(study), terminal_size=(80, 24), run_before=go)


@pytest.mark.parametrize("size", SIZES, ids=at)
@pytest.mark.parametrize("basis", ["percentage", "ratio"])
def test_compare(snap_compare, study: Path, until, size: tuple[int, int], basis: str):
    async def go(pilot: Pilot) -> None:
        await pilot.press("3")
        await until.all_compared(pilot)
        await until(pilot, lambda: "By the rule" in str(pilot.app.screen.query_one("#best", Static).render()))
        if basis == "ratio":
            await pilot.press("e")
            await until(pilot, lambda: "ratio" in str(pilot.app.screen.query_one("#compare-basis", Static).render()))
        await until.settle(pilot)

    assert snap_compare(Dashboard(study), terminal_size=size, run_before=go)


@pytest.mark.parametrize("size", SIZES, ids=at)
def test_query(snap_compare, study: Path, until, size: tuple[int, int]):
    async def go(pilot: Pilot) -> None:
        await pilot.press("4")
        await until(
            pilot, lambda: isinstance(pilot.app.screen, QueryScreen) and bool(pilot.app.screen.query(SqlEditor))
        )
        query = pilot.app.screen
        assert isinstance(query, QueryScreen)
        await until(pilot, lambda: bool(query.query_one(SqlEditor).sources))
        query.query_one(SqlEditor).text = SQL
        await pilot.press("f5")
        await until(pilot, lambda: query.table is not None)
        query.query_one("#query-said", Static).update("6 rows · 4 columns")  # without the seconds it took
        await until.settle(pilot)

    assert snap_compare(Dashboard(study), terminal_size=size, run_before=go)
