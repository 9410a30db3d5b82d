"""claim_series_from and width_lines_from, on changes and points by hand: each case is a model of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from by_hand import Z, fill, stand_in
from duckdb import DuckDBPyConnection

from warehouse.store import db, studies
from warehouse.store.answers import records

Case = Sequence[Mapping[str, Any]]
Fold = Callable[..., list[list[dict[str, Any]]]]
MADE = {
    "model": "org/M", "method": "maw", "task": "piqa", "benchmark": "PIQA", "metric": "acc", "filter": "none",
    "kind": "score", "higher_is_better": True, "position": 6,
}  # fmt: skip


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("series") / "results.duckdb"
    with db.open_write(path):
        pass
    with db.open_read(path) as con:
        studies.make_for(con, "claim_series")
        stand_in(con, "claim_changes", "changes")
        yield con


@pytest.fixture
def series(con: DuckDBPyConnection) -> Fold:
    return _folded(con, "claim_series_from")


@pytest.fixture
def lines(con: DuckDBPyConnection) -> Fold:
    return _folded(con, "width_lines_from")


def _folded(con: DuckDBPyConnection, macro: str) -> Fold:
    def rows(*cases: Case) -> list[list[dict[str, Any]]]:
        fill(con, "changes", [{"model_id": f"m{at}", **MADE, **row} for at, case in enumerate(cases) for row in case])
        found = records(con.execute(f"from {macro}('changes') order by num_fewshot, version"))
        return [[row for row in found if row["model_id"] == f"m{at}"] for at in range(len(cases))]

    return rows


def change(pct: float, value: float, error: float | None = 0.01, **about: Any) -> dict[str, Any]:
    """Of a baseline of 0.5 ± 0.01; `error` is the value's own."""
    return {"pruning_pct": float(pct), "intermediate_size": 100 - int(pct), "value": value, "value_stderr": error,
            "baseline": 0.5, "baseline_stderr": 0.01} | about  # fmt: skip


def scores(*values: float, error: float | None = 1.0, **about: Any) -> list[dict[str, Any]]:
    """From the unpruned one down, at 0, 10, 20 … %, all with this error."""
    return [
        change(10 * at, value, error, baseline=values[0], baseline_stderr=error, **about)
        for at, value in enumerate(values[1:], start=1)
    ]


def test_a_series_counts_its_levels_and_has_means_and_lines(series: Fold) -> None:
    """On the line 0.5, 0.4, 0.3; weights of 1 / 0.01² make Σ w (x - 1)² of it 20,000."""
    about = {
        "gain": -0.1,
        "stderr": 0.02,
        "delta_pct": -20.0,
        "improved": True,
        "verdict": "loss",
        "table_verdict": "gain",
    }
    other = {
        "gain": -0.3,
        "stderr": 0.04,
        "delta_pct": -50.0,
        "improved": False,
        "verdict": "loss",
        "table_verdict": "loss",
    }
    ((row,),) = series([change(10, 0.4, chance=0.5, **about), change(20, 0.3, chance=0.5, **other)])
    assert row == {
        "model_id": "m0", "method": "maw", "conditions": None, "task": "piqa", "num_fewshot": None, "version": None,
        "metric": "acc", "filter": "none", "model": "org/M", "benchmark": "PIQA", "kind": "score", "baseline": 0.5,
        "baseline_stderr": 0.01, "chance": 0.5, "levels": 2, "errors_known": True, "better": 1, "gains": 1, "losses": 1,
        "losses_alone": 2, "mean_gain": pytest.approx(-0.2), "mean_stderr": pytest.approx(0.03), "mean_pct": -35.0,
        "mean_low": pytest.approx(-0.2 - Z * 0.03), "mean_high": pytest.approx(-0.2 + Z * 0.03), "widths": 3,
        "slope": pytest.approx(-0.1), "slope_stderr": pytest.approx(20000**-0.5), "line_r2": pytest.approx(1),
        "scatter_is_noise": True, "log_slope": None, "log_slope_stderr": None, "log_r2": None, "name": "PIQA",
    }  # fmt: skip


def test_each_verdict_is_counted_as_what_it_is(series: Fold) -> None:
    """`verdict` is each level's alone, `table_verdict` over all; noise and what was not tested are neither."""
    alone, over_all = ("loss", "gain", "noise", None), ("gain", "gain", "loss", "noise")
    ((row,),) = series(
        [
            change(10 * at, 0.4, verdict=one, table_verdict=both, improved=at == 1, stderr=None if at == 3 else 1.0)
            for at, (one, both) in enumerate(zip(alone, over_all, strict=True), start=1)
        ]
    )
    told = ("levels", "better", "gains", "losses", "losses_alone", "errors_known", "mean_stderr")
    assert [row[name] for name in told] == [4, 1, 2, 1, 1, False, 1.0]


def test_what_is_off_a_line_is_noise_up_to_two_deviations_of_chi_squared(series: Fold) -> None:
    """Four widths, ± e errors off: 4 e² over 2 degrees of freedom may be 1 + 2 √(2 / 2); three: 6 e², 1 + 2 √2."""
    four, three = math.sqrt(3 / 2), math.sqrt((1 + 2 * math.sqrt(2)) / 6)

    def off(e: float) -> list[dict]:
        return scores(e, 1 - e, 2 - e, 3 + e)

    def of_three(e: float) -> list[dict]:
        return scores(e, 1 - 2 * e, 2 + e)

    said = series(
        off(0.999 * four),
        off(1.001 * four),
        of_three(0.999 * three),
        of_three(1.001 * three),
        scores(1, 2),
        [change(0, 0.5), change(0, 0.4)],
    )
    assert [row["scatter_is_noise"] for (row,) in said] == [True, False, True, False, None, None]
    assert [row["widths"] for (row,) in said] == [4, 4, 3, 3, 2, 3]
    assert said[4][0]["slope"] == pytest.approx(1)


@pytest.mark.parametrize("which", ["value_stderr", "baseline_stderr"])
def test_a_line_with_an_error_that_is_none_has_no_weighted_slope(series: Fold, which: str) -> None:
    cases = [scores(0.5, 0.4, 0.3) for _ in range(3)]
    for case, error in zip(cases, (None, 0.0, math.inf), strict=True):
        for row in case if which == "baseline_stderr" else case[:1]:
            row[which] = error
    said = series(*cases)
    told = ("slope", "slope_stderr", "scatter_is_noise", "line_r2")
    assert [[row[name] for name in told] for (row,) in said] == [[None, None, None, pytest.approx(1)]] * 3


def test_all_at_one_width_make_no_line(series: Fold) -> None:
    ((row,),) = series([change(0, 0.5), change(0, 0.4, intermediate_size=99)])
    told = ("widths", "slope", "slope_stderr", "scatter_is_noise", "log_slope_stderr")
    assert [row[name] for name in told] == [3, None, None, None, None]
    ppl: dict[str, Any] = {"kind": "perplexity", "metric": "perplexity"}
    ((row,),) = series([change(0, 0.5, **ppl), change(0, 0.4, **ppl)])
    assert row["log_slope_stderr"] is None


def test_a_perplexitys_logarithm_has_a_line_of_its_own(series: Fold) -> None:
    """Off it by e, -2 e and e: 6 e² in all, over one degree of freedom, and Σ (x - 1)² is 2."""
    e = 0.1
    about: dict[str, Any] = {
        "kind": "perplexity",
        "task": "wikitext",
        "metric": "word_perplexity",
        "higher_is_better": False,
    }
    said = series(
        scores(math.exp(e), math.exp(1 - 2 * e), math.exp(2 + e), **about),
        scores(1, math.exp(2), **about),
        scores(1, math.e, math.e**2, **about),
    )
    assert [[row[name] for name in ("log_slope", "log_slope_stderr", "log_r2")] for (row,) in said] == [
        [pytest.approx(1), pytest.approx(e * math.sqrt(3)), pytest.approx(2 / (2 + 6 * e**2))],
        [pytest.approx(2), None, pytest.approx(1)],
        [pytest.approx(1), pytest.approx(0, abs=1e-6), pytest.approx(1)],
    ]


def test_series_are_apart_by_shots_version_conditions_method_metric_and_filter(series: Fold) -> None:
    one = change(10, 0.4)
    others = [
        {"num_fewshot": 5}, {"version": "2"}, {"num_fewshot": 5, "version": "2"}, {"conditions": "few"},
        {"method": "pp"}, {"metric": "f1"}, {"filter": "strict"}, {"task": "boolq", "benchmark": "BoolQ"},
    ]  # fmt: skip
    (rows,) = series([one, *(one | other for other in others)])
    assert [row["widths"] for row in rows] == [2] * 9
    assert sorted(row["name"] for row in rows) == [
        "BoolQ", "PIQA", "PIQA", "PIQA (5-shot, version 2)", "PIQA (5-shot, version not known)",
        *["PIQA (shots not known, version 2)"], *["PIQA (shots not known, version not known)"] * 3,
    ]  # fmt: skip


def test_one_of_several_shots_or_versions_is_named_by_that_alone(series: Fold) -> None:
    shots = [change(10, 0.4, num_fewshot=shots) for shots in (0, 5)]
    versions = [change(10, 0.4, version=version) for version in ("1", "2")]
    said = series(shots, versions)
    assert [[row["name"] for row in rows] for rows in said] == [
        ["PIQA (0-shot)", "PIQA (5-shot)"], ["PIQA (version 1)", "PIQA (version 2)"],
    ]  # fmt: skip


@pytest.fixture
def points(con: DuckDBPyConnection) -> Callable[..., list[dict[str, Any]]]:
    """Lines through points of (percent, value, error), a model each."""
    columns = ("model_id", "method", "conditions", "task", "num_fewshot", "version", "metric", "filter", "model",
               "benchmark", "position", "kind", "higher_is_better", "pruning_pct", "value", "value_stderr")  # fmt: skip

    def rows(*cases: Sequence[tuple[float, float, float | None]], **about: Any) -> list[dict[str, Any]]:
        fill(
            con,
            "changes",
            [
                {"model_id": f"m{at}", **MADE, **about, "pruning_pct": pct, "value": value, "value_stderr": error}
                for at, case in enumerate(cases)
                for pct, value, error in case
            ],
        )
        con.execute(
            f"""
            create or replace temp table points as
            select 'none' as repair, value_stderr as stderr, {", ".join(columns)} from changes
            """
        )
        return records(con.execute("from width_lines_from('points') order by model_id"))

    return rows


def test_a_line_through_widths_weighted_by_their_errors_or_not_at_all(points) -> None:
    """Weights 1, 4 and 1 at 0, 10 and 20 %: means 1 and 11 / 6; Σ w (x - 1)² is 2, Σ w (x - 1) (y - 11/6) is 2."""
    row, without = points(
        [(0, 1.0, 1.0), (10, 1.75, 0.5), (20, 3.0, 1.0)], [(0, 1.0, None), (10, 1.75, None), (20, 3.0, None)]
    )
    assert [without[name] for name in ("weighted", "sxx", "sxy", "syy")] == [
        False, *(pytest.approx(one) for one in (2, 2, 2 + 6 * (0.25 / 3) ** 2)),
    ]  # fmt: skip
    assert row == {
        "model_id": "m0", "method": "maw", "repair": "none", "conditions": None, "task": "piqa", "num_fewshot": None,
        "version": None,
        "metric": "acc", "filter": "none", "model": "org/M", "benchmark": "PIQA", "position": 6, "kind": "score",
        "higher_is_better": True, "widths": 3, "weighted": True, "distinct_x": 3, "sxx": pytest.approx(2),
        "sxy": pytest.approx(2), "syy": pytest.approx((5 / 6) ** 2 + 4 * (1 / 12) ** 2 + (7 / 6) ** 2),
        "line_r2": pytest.approx(2 / (2 + 6 * (0.25 / 3) ** 2)), "log_slope": None, "log_sxx": None, "log_syy": None,
        "log_r2": None, "log_n": 0,
    }  # fmt: skip


def test_one_width_without_an_error_leaves_the_line_unweighted(points) -> None:
    (row,) = points([(0, 1.0, 0.1), (10, 2.0, None), (10, 2.0, 0.1), (20, 3.0, 0.1)])
    assert [row[name] for name in ("weighted", "widths", "distinct_x", "sxx", "sxy", "syy")] == [
        False, 4, 3, pytest.approx(2), pytest.approx(2), pytest.approx(2),
    ]  # fmt: skip


def test_a_perplexity_that_is_zero_or_below_has_no_logarithm(points) -> None:
    told = ("log_slope", "log_sxx", "log_syy", "log_r2", "log_n")
    values = [(0, 1.0, None), (10, math.e, None), (20, math.e**2, None)]
    kinds = [
        points(values, [*values, (30, 0.0, None), (40, -1.0, None)], kind=kind) for kind in ("perplexity", "score")
    ]
    assert [[row[name] for name in told] for row in kinds[0]] == [
        [pytest.approx(one) for one in (1, 2, 2, 1, 3)],
        [pytest.approx(one) for one in (1, 2, 2, 1, 3)],
    ]
    assert [[row[name] for name in told] for row in kinds[1]] == [[None, None, None, None, 0]] * 2
