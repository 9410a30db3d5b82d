"""benchmark_trends, on numbers by hand: each case is a model of its own, at 0, 10, 20 … %."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from by_hand import fill, stand_in
from duckdb import DuckDBPyConnection
from scipy import stats

from warehouse.store import db
from warehouse.store.answers import records

MADE = {
    "model": "org/M", "method": "maw", "repair": "none", "task": "piqa", "benchmark": "PIQA", "metric": "acc",
    "filter": "none", "kind": "score", "higher_is_better": True, "position": 6,
}  # fmt: skip
PERPLEXITY = {"metric": "word_perplexity", "kind": "perplexity", "higher_is_better": False, "task": "wikitext"}
Case = Sequence[dict[str, Any]]


class Trends:
    def __init__(self, con: DuckDBPyConnection) -> None:
        self.con = con
        stand_in(con, "headline_metrics")
        stand_in(con, "delta_statistics")

    def of(self, *cases: Case, verdicts: Sequence[Case] = ()) -> list[list[dict[str, Any]]]:
        for table, told in (("headline_metrics", cases), ("delta_statistics", verdicts)):
            fill(
                self.con, table, [{"model_id": f"m{at}", **MADE, **row} for at, case in enumerate(told) for row in case]
            )
        found = records(self.con.execute("from benchmark_trends"))
        return [[row for row in found if row["model_id"] == f"m{at}"] for at in range(len(cases))]

    def told(self, what: str, *cases: Case) -> list[Any]:
        return [row[what] for (row,) in self.of(*cases)]


@pytest.fixture(scope="module")
def trends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trends]:
    path = tmp_path_factory.mktemp("trends") / "results.duckdb"
    with db.open_write(path):
        pass
    with db.open_read(path) as con:
        yield Trends(con)


def values(*of: float, error: float | None = None, **about: Any) -> list[dict[str, Any]]:
    return [
        {"pruning_pct": 10.0 * at, "unpruned": at == 0, "value": value, "stderr": error} | about
        for at, value in enumerate(of)
    ]


def test_a_trend_has_a_line_a_direction_and_the_first_clear_loss(trends: Trends) -> None:
    """Off the line by 1, -2 and 1: 6 over one degree of freedom, Σ (x - 1)² being 2. No pair differs clearly."""
    verdicts = [
        {"pruning_pct": pct, "is_headline": headline, "table_verdict": verdict}
        for pct, headline, verdict in (
            (10.0, False, "loss"), (30.0, True, "loss"), (20.0, True, "loss"), (40.0, True, "gain"),
            (50.0, True, "gain"), (60.0, True, "noise"), (70.0, True, None),
        )
    ]  # fmt: skip
    assert trends.of(values(2, -1, 2, error=1.0), verdicts=[verdicts]) == [[
        {
            "model": "org/M", "method": "maw", "repair": "none", "benchmark": "PIQA", "metric": "acc", "widths": 3,
            "trend": "mixed", "monotonic": False, "trend_beyond_noise": "noise", "slope_per_10pct": pytest.approx(0),
            "slope_stderr": pytest.approx(math.sqrt(6 / 2)), "weighted": True, "drops_at_pct": 20.0,
            "gains_at_pct": 40.0, "levels_tested": 5, "growth_per_10pct": None,
            "log_growth_stderr": None, "growth_r2": None, "task": "piqa",
            "filter": "none", "num_fewshot": None, "version": None, "higher_is_better": True, "kind": "score",
            "position": 6, "conditions": None, "model_id": "m0",
        }
    ]]  # fmt: skip


def test_a_slopes_error_is_never_less_than_the_values_errors_imply(trends: Trends) -> None:
    """Of two widths there are no residuals; without errors there is nothing else, and of two there is nothing."""
    cases = [values(0, 1, 2, error=1.0), values(0, 1, error=2.0), values(2, -1, 2), values(0, 1), values(0, error=1.0)]
    assert trends.told("slope_stderr", *cases) == [
        pytest.approx(math.sqrt(1 / 2)), pytest.approx(2 * math.sqrt(2)), pytest.approx(math.sqrt(6 / 2)), None, None,
    ]  # fmt: skip
    assert trends.told("slope_per_10pct", *cases) == [*(pytest.approx(slope) for slope in (1, 1, 0, 1)), None]
    assert trends.told("weighted", *cases) == [True, True, False, False, True]


def test_a_line_whose_residuals_exceed_the_errors_by_little_takes_theirs(trends: Trends) -> None:
    """Four widths, off by ± e: 4 e² / 2 over Σ (x - 1.5)² of 5."""
    said = trends.told("slope_stderr", *(values(e, 1 - e, 2 - e, 3 + e, error=1.0) for e in (0.7, 0.8)))
    assert said == [pytest.approx(math.sqrt(1 / 5)), pytest.approx(math.sqrt(2 * 0.8**2 / 5))]


def test_an_error_that_is_none_leaves_the_line_unweighted_and_nothing_tested(trends: Trends) -> None:
    said = trends.of(
        *([*values(3, 2, error=0.1), *values(0, 0, 1, error=error)[2:]] for error in (0.0, math.inf, None))
    )
    assert [(row["weighted"], row["trend_beyond_noise"], row["trend"]) for (row,) in said] == [
        (False, None, "worsens")
    ] * 3


def test_values_that_are_no_numbers_are_left_out(trends: Trends) -> None:
    said = trends.of(values(3, math.nan, 2), values(3, math.inf, 2), values(math.nan))
    assert [[(row["widths"], row["trend"]) for row in rows] for rows in said] == [
        [(2, "worsens")],
        [(2, "worsens")],
        [],
    ]


def test_which_way_a_metric_is_better_decides_the_trend(trends: Trends) -> None:
    """One without a direction has none, as has one width."""
    up, down, flat, step = (values(*of, error=0.01) for of in ((1, 2, 3), (3, 2, 1), (2, 2, 2), (2, 2, 1)))
    said = trends.of(
        up, down, flat, step, *([row | PERPLEXITY for row in one] for one in (up, down)),
        [row | {"higher_is_better": None} for row in up],
    )  # fmt: skip
    assert [(row["trend"], row["monotonic"], row["trend_beyond_noise"]) for (row,) in said] == [
        ("improves", True, "improves"), ("worsens", True, "worsens"), ("constant", True, "noise"),
        ("worsens", True, "worsens"), ("worsens", True, "worsens"), ("improves", True, "improves"),
        (None, None, None),
    ]  # fmt: skip
    assert trends.told("trend", values(1, error=0.01)) == [None]


def test_only_steps_to_the_next_width_make_a_trend(trends: Trends) -> None:
    assert trends.told("trend", values(1, 3, 2), values(3, 1, 2), values(1, 1, 2), values(1, 2, 2)) == [
        "mixed", "mixed", "improves", "improves",
    ]  # fmt: skip


def test_pairs_are_tested_with_bonferronis_correction_over_all_of_them(trends: Trends) -> None:
    """Three widths are three pairs: 0.05 / 3 each. Of perplexities the logarithm is tested."""
    edge = float(stats.norm.isf(0.05 / 3 / 2)) * math.sqrt(2)

    def perplexities(of: float) -> list[dict[str, Any]]:
        """100 is 100 · exp(0) and both have an error of a hundredth."""
        points = values(100, 100 * math.exp(of * 0.01), **PERPLEXITY)
        third = values(0, 0, 100.0, **PERPLEXITY)[2:]
        return [row | {"stderr": row["value"] / 100} for row in (*points, *third)]

    cases = [values(0, one * edge, 0, error=1.0) for one in (0.999, -0.999, 1.001, -1.001)]
    logs = [perplexities(one * edge) for one in (0.999, 1.001)]
    assert trends.told("trend_beyond_noise", *cases, *logs) == ["noise", "noise", "mixed", "mixed", "noise", "mixed"]


def test_a_pair_with_a_perplexity_of_zero_or_below_is_tested_as_it_is(trends: Trends) -> None:
    cases = [values(*of, error=1.0, **PERPLEXITY) for of in ((0, 10), (10, 0), (-1, 10), (1, 1.1))]
    assert trends.told("trend_beyond_noise", *cases) == ["worsens", "improves", "worsens", "noise"]


def test_a_perplexitys_growth_has_the_line_of_its_logarithm(trends: Trends) -> None:
    e = 0.1
    said = trends.of(
        values(math.exp(e), math.exp(1 - 2 * e), math.exp(2 + e), **PERPLEXITY), values(1, math.e, **PERPLEXITY),
        values(1, math.e, math.e**2, **PERPLEXITY),
    )  # fmt: skip
    assert [[row[name] for name in ("growth_per_10pct", "log_growth_stderr", "growth_r2")] for (row,) in said] == [
        [pytest.approx(math.e), pytest.approx(e * math.sqrt(3)), pytest.approx(2 / (2 + 6 * e**2))],
        [pytest.approx(math.e), None, pytest.approx(1)],
        [pytest.approx(math.e), pytest.approx(0, abs=1e-6), pytest.approx(1)],
    ]


def test_each_repair_number_of_shots_version_and_condition_is_a_trend_of_its_own(trends: Trends) -> None:
    others = [
        {}, {"num_fewshot": 5}, {"version": "2"}, {"conditions": "few"}, {"method": "pp"}, {"metric": "f1"},
        {"filter": "strict"}, {"task": "boolq", "benchmark": "BoolQ"}, {"repair": "lsq"},
    ]  # fmt: skip
    loss = {"is_headline": True, "table_verdict": "loss"}
    case = [row | other for at, other in enumerate(others) for row in values(at + 2, 1)]
    verdicts = [loss | {"pruning_pct": float(at)} | other for at, other in enumerate(others, start=1)]
    (rows,) = trends.of(case, verdicts=[verdicts])
    assert sorted((row["drops_at_pct"], row["slope_per_10pct"], row["trend"], row["widths"]) for row in rows) == [
        (at, pytest.approx(-at), "worsens", 2) for at in range(1, 10)
    ]


def test_without_verdicts_no_level_was_tested(trends: Trends) -> None:
    (((row),),) = trends.of(values(2, 1))
    assert (row["levels_tested"], row["drops_at_pct"], row["gains_at_pct"]) == (0, None, None)
