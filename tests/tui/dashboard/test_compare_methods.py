"""Two methods on one model, compared on the scores of real runs."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from scipy import stats
from textual.pilot import Pilot
from textual.widgets import Static

from tui.app import Dashboard
from tui.queries import Reader, Rows, choices, chosen, subject
from tui.screens.compare import CompareScreen
from tui.widgets.grid import Grid


@pytest.fixture(scope="module")
def two_methods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo model, pruned by 40 % with MAW and with L2."""
    database = tmp_path_factory.mktemp("methods") / "results.duckdb"
    for method in ("maw", "l2"):
        words = ["run", "demo", "--method", method, "--suite", "demo", "--levels", "0,40", "--limit", "8"]
        subprocess.run(
            [sys.executable, "-m", "tui", *words, "--name", method, "--db", str(database)], check=True,
            capture_output=True, timeout=300,
        )  # fmt: skip
    return database


@pytest.fixture(scope="module")
def tests(two_methods: Path) -> Rows:
    reader = Reader(two_methods)
    [known] = reader.ask("a", reader.turn("a"), choices())
    subjects = [subject(row) for row in known]
    return reader.ask("a", reader.turn("a"), chosen("matrix_tests", subjects, basis="percentage"))[0]


def test_the_difference_is_that_of_the_scores_in_percent_of_the_common_baseline(two_methods: Path, tests: Rows):
    assert {(row["first_method"], row["second_method"], row["basis_value"]) for row in tests} == {("l2", "maw", 40.0)}
    assert len(tests) == 6
    with duckdb.connect(two_methods, read_only=True) as con:
        scores = {
            (method, task): figures
            for method, task, *figures in con.execute(
                "select method, task, value, baseline, value_stderr from delta_statistics where is_headline"
            ).fetchall()
        }
    tested = 0
    for row in tests:
        (first, baseline, first_stderr), (second, same, second_stderr) = (
            scores[method, row["task"]] for method in ("l2", "maw")
        )
        assert baseline == same
        assert row["difference"] == pytest.approx(100 * (second - first) / abs(baseline))
        stderr = 0.0 if first_stderr is None or second_stderr is None else math.hypot(first_stderr, second_stderr)
        if stderr > 0:
            tested += 1
            assert row["stderr"] == pytest.approx(100 * stderr / abs(baseline))
            assert row["p_value"] == pytest.approx(2 * stats.norm.sf(abs(second - first) / stderr), abs=1e-12)
        else:
            assert row["p_value"] is None
    assert tested


async def test_both_methods_stand_side_by_side_and_are_tested(two_methods: Path, until):
    async with Dashboard(two_methods).run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen) and len(_grid(pilot, "sides").model))
        heading = _grid(pilot, "sides").render_line(0).text
        assert "▏demo l2" in heading
        assert "▏demo maw" in heading
        await pilot.press("t")
        await pilot.pause()
        title = str(pilot.app.screen.query_one("#tests-title", Static).render())
        assert title.strip() == "Which loses more at 40%: demo: L2 and MAW"
        assert len(_grid(pilot, "tests").model) == 6


def _grid(pilot: Pilot, which: str) -> Grid:
    return pilot.app.screen.query_one(f"#{which}", Grid)
