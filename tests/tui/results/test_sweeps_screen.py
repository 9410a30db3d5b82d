"""Results by sweep: what a sweep's runs have scores of, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from run_writer import RunWriter
from textual.widgets import OptionList, Static

from tui.app import Dashboard
from tui.results.screen import ResultsScreen
from tui.shell.choose import ChooseOne
from tui.shell.queries import Question, Reader
from warehouse.merging import merge

FIRST, SECOND = "20261124-041700-abc123", "20261125-041700-def456"


def measured(database: Path, run_id: str, *, later: float = 0.0, **about: Any) -> None:
    run = RunWriter(database.with_suffix(".runs") / run_id)
    run.start(t=later, **about)
    for level, value in (("0", 0.6), ("20", 0.5)):
        run.cell(level, "piqa", value, t=later)
    merge.merge_run(database, run.folder)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two sweeps, of which the second measured the first model with another method, and a run by itself."""
    found = tmp_path / "results.duckdb"
    measured(found, "r1", sweep=FIRST)
    measured(found, "r2", sweep=FIRST, model="org/Other", weights="w2")
    measured(found, "r3", sweep=SECOND, method="l2", later=100.0)
    measured(found, "r4", model="org/Alone", weights="w3", later=200.0)
    return found


def test_each_sweep_has_what_its_runs_have_scores_of(database: Path):
    reader = Reader(database)
    [rows] = reader.ask("test", reader.turn("test"), Question("matrix_sweeps"))
    assert [(row.sweep, row.called, row.runs, row.models) for row in rows] == [
        (SECOND, "sweep def456", 1, 1), (FIRST, "sweep abc123", 2, 2),
    ]  # fmt: skip
    asked = [Question("sweep_subjects", {"sweep": sweep}) for sweep in (FIRST, SECOND)]
    answers = reader.ask("test", reader.turn("test"), *asked)
    assert [[row["subject"].split("|")[1] for row in rows] for rows in answers] == [["maw", "maw"], ["l2"]]


@pytest.mark.slow
async def test_a_sweep_is_chosen_with_W_and_all_are_shown_again(database: Path, until):
    app = Dashboard(database)

    def shown() -> list[str]:
        assert isinstance(app.screen, ResultsScreen)
        return sorted({f"{column.model[4:]} {column.method}" for column in app.screen._matrix.columns})

    def title() -> str:
        return str(app.screen.query_one("#results-title", Static).render())

    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen) and len(shown()) == 3)
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, ChooseOne))
        options = app.screen.query_one(OptionList)
        assert [str(options.get_option_at_index(index).prompt) for index in range(3)] == [
            "All: not by sweep",
            f"sweep def456 · 1 run with scores · 1 model · {SECOND}",
            f"sweep abc123 · 2 runs with scores · 2 models · {FIRST}",
        ]
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen) and shown() == ["Other maw", "Tiny maw"])
        assert title().startswith("Results  sweep abc123 · relative change")
        measured(database, "r5", sweep=FIRST, method="vow", later=300.0)  # it goes on
        await until(pilot, lambda: shown() == ["Other maw", "Tiny maw", "Tiny vow"])
        assert "sweep abc123" in title()
        await pilot.press("W")
        await until(pilot, lambda: isinstance(app.screen, ChooseOne))
        await pilot.press("home", "enter")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen) and "sweep" not in title())
