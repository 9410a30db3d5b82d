"""Two methods on one model, compared on the scores of real runs."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy.stats import norm
from textual.pilot import Pilot
from textual.widgets import Static

from tui.app import Dashboard
from tui.compare.screen import CompareScreen
from tui.shell.queries import Reader, Rows, choices, chosen
from tui.widgets.grid import Grid
from warehouse.stats.paired_shares import interval


@pytest.fixture(scope="module")
def two_methods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo model, pruned by 40 % with MAW and with L2."""
    database = tmp_path_factory.mktemp("methods") / "results.duckdb"
    for method in ("maw", "l2"):
        words = ["run", "demo", "--method", method, "--suite", "demo", "--levels", "0,40", "--limit", "8"]
        subprocess.run(
            [sys.executable, "-m", "prune_tui", *words, "--name", method, "--db", str(database)], check=True,
            capture_output=True, timeout=300,
        )  # fmt: skip
    return database


@pytest.fixture(scope="module")
def tests(two_methods: Path) -> Rows:
    return _tests(two_methods)


def _tests(database: Path) -> Rows:
    reader = Reader(database)
    [known] = reader.ask("a", reader.turn("a"), choices())
    subjects = [row.key for row in known]
    return reader.ask("a", reader.turn("a"), chosen("matrix_tests", subjects, basis="percentage"))[0]


@pytest.mark.slow
def test_the_difference_is_that_of_the_scores_in_percent_of_the_common_baseline(two_methods: Path, tests: Rows):
    assert {(row.first_method, row.second_method, row.basis_value) for row in tests} == {("l2", "maw", 40.0)}
    assert len(tests) == 6
    with duckdb.connect(two_methods, read_only=True) as con:
        scores = {
            (method, task): figures
            for method, task, *figures in con.execute(
                "select method, task, value, baseline from delta_statistics where is_headline"
            ).fetchall()
        }
    for row in tests:
        (first, baseline), (second, same) = (scores[method, row.task] for method in ("l2", "maw"))
        assert baseline == pytest.approx(same)  # measured twice: the last digits are float32's
        assert row.difference == pytest.approx(100 * (second - first) / abs(baseline), rel=1e-4)


@pytest.mark.slow
def test_methods_are_compared_question_by_question(two_methods: Path, tests: Rows):
    """By the documents' values at 40 %, against NumPy and SciPy."""
    kinds = {row.task: row.p_kind for row in tests}
    assert (kinds["demo_facts"], kinds["demo_story"]) == ("score, clustered", "bootstrap")
    right_or_wrong = [row for row in tests if row.p_kind == "score, paired"]
    assert len(right_or_wrong) == 4
    with duckdb.connect(two_methods, read_only=True) as con:
        for row in right_or_wrong:
            first, second = (
                np.array(
                    con.execute(
                        "select s.value from samples s join runs r using (run_id) "
                        "where r.method = $1 and s.level = '40' and s.task = $2 and s.metric = $3 and s.filter = $4 "
                        "order by s.doc_id",
                        [method, row.task, row.metric, row.filter],
                    ).fetchall()
                ).ravel()
                for method in ("l2", "maw")
            )
            ((baseline,),) = con.execute(
                "select distinct baseline from baseline_deltas where task = $1 and metric = $2 and filter = $3",
                [row.task, row.metric, row.filter],
            ).fetchall()
            differences = second - first
            lost, gained = (first > second).sum(), (first < second).sum()
            assert (row.first_only, row.second_only) == (lost, gained)
            told = interval(gained, lost, len(differences))
            stderr = differences.std(ddof=1) / math.sqrt(len(differences))
            if stderr == 0:  # no answer differs: the interval has a width all the same
                stderr = float(told.high - told.low) / (2 * norm.ppf(0.975))
            assert row.stderr == pytest.approx(100 / baseline * stderr)
            assert row.p_value == pytest.approx(float(told.p_value), abs=1e-12)
            ends = 100 / baseline * float(told.low), 100 / baseline * float(told.high)
            assert (row.ci_low, row.ci_high) == pytest.approx(ends)


@pytest.mark.slow
def test_methods_whose_documents_are_not_known_are_compared_as_independent(two_methods: Path, tmp_path: Path):
    copy = tmp_path / "results.duckdb"
    shutil.copy(two_methods, copy)
    with duckdb.connect(copy) as con:
        con.execute("delete from paired_methods")
    tested = [row for row in _tests(copy) if row.p_value is not None]
    assert {row.p_kind for row in tested} == {"z, independent"}
    for row in tested:
        with duckdb.connect(copy, read_only=True) as con:
            ((first, value, baseline, _), (second, other, _, factor)) = con.execute(
                "select value_stderr, value, baseline, factor from delta_statistics "
                "where task = ? and is_headline order by method",
                [row.task],
            ).fetchall()
        if factor is None:
            assert row.stderr == pytest.approx(100 / baseline * math.hypot(first, second))
        else:  # a perplexity, on the log scale
            assert row.stderr == pytest.approx(100 * factor * math.hypot(first / value, second / other))
    assert tested


@pytest.mark.slow
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
        said = str(pilot.app.screen.query_one("#tests-says", Static).render())
        assert said.endswith(" on the same questions.")


def _grid(pilot: Pilot, which: str) -> Grid:
    return pilot.app.screen.query_one(f"#{which}", Grid)
