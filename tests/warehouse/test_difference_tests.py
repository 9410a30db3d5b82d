"""difference_tests_from, on pairs of numbers by hand: which test is used, and what it says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from by_hand import Z, fill
from duckdb import DuckDBPyConnection
from scipy import stats

from warehouse.store import db
from warehouse.store.answers import records

COLUMNS = {
    **dict.fromkeys(
        (
            "first_amount", "second_amount", "first_factor", "second_factor", "clustered_stderr", "paired_stderr",
            "bootstrap_stderr", "bootstrap_low", "bootstrap_high", "bootstrap_p", "share_low", "share_high", "share_p",
            "ratio_stderr_apart", "stderr_apart", "unit", "scale",
        ),
        "double",
    ),
    **dict.fromkeys(("estimator", "bootstrap_scale", "table_key", "task"), "varchar"),
    "higher_is_better": "boolean",
    "position": "integer",
}  # fmt: skip


class Pairs:
    def __init__(self, con: DuckDBPyConnection) -> None:
        self.con = con
        con.execute(f"create temp table pairs ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")

    def of(self, *told: dict[str, Any], one_table: bool = False) -> list[dict[str, Any]]:
        """What is said of each, in their order. Each is a table of its own, for Holm's correction."""
        given = {"first_amount": 0.0, "higher_is_better": True, "unit": 100.0, "scale": 100.0}
        rows = [
            given | {"task": f"t{at:02}", "position": 1, "table_key": "all" if one_table else str(at)} | pair
            for at, pair in enumerate(told)
        ]
        fill(self.con, "pairs", rows)
        return records(self.con.execute("from difference_tests_from('pairs') order by task"))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pairs]:
    path = tmp_path_factory.mktemp("tests") / "results.duckdb"
    with db.open_write(path):
        pass
    with db.open_read(path) as con:
        yield Pairs(con)


def told(row: dict[str, Any]) -> list[Any]:
    return [row[name] for name in ("p_kind", "difference", "stderr", "ci_low", "ci_high", "p_value", "better_off")]


def about(*expected: Any) -> list[Any]:
    return [one if one is None or isinstance(one, str) else pytest.approx(one) for one in expected]


def p_of(z: float) -> float:
    return float(2 * stats.norm.sf(abs(z)))


def test_numbers_of_which_only_the_errors_are_known_are_tested_by_z(pairs: Pairs) -> None:
    """The row keeps what it came with."""
    (row,) = pairs.of({"first_amount": 10.0, "second_amount": 4.0, "stderr_apart": 2.0})
    assert told(row) == about("z, independent", -6, 2, -6 - 2 * Z, -6 + 2 * Z, p_of(3), "first")
    assert row.keys() == {
        *COLUMNS, "difference", "stderr", "ci_low", "ci_high", "p_value", "p_holm", "p_kind", "better_off",
    }  # fmt: skip
    assert row["p_holm"] == row["p_value"]


def test_without_an_error_there_is_no_test(pairs: Pairs) -> None:
    """An error of zero tells nothing of two numbers apart; of one question by question it does where they are equal."""
    none = ("stderr", "ci_low", "ci_high", "p_value", "p_holm", "p_kind", "better_off")
    unknown, zero, equal, paired, apart = pairs.of(
        {"second_amount": 4.0},
        {"second_amount": 4.0, "stderr_apart": 0.0},
        {"second_amount": 0.0, "stderr_apart": 0.0},
        {"second_amount": 0.0, "paired_stderr": 0.0},
        {"second_amount": 4.0, "paired_stderr": 0.0},
    )
    assert [unknown[name] for name in none] == [None] * 7
    assert [(row["p_value"], row["p_kind"]) for row in (zero, equal, apart)] == [(None, None)] * 3
    assert told(paired) == about("z, paired", 0, 0, 0, 0, 1, "noise")


def test_the_same_questions_decide_before_the_errors_apart(pairs: Pairs) -> None:
    """The larger of the paired and the clustered error counts."""
    apart = {"second_amount": 6.0, "stderr_apart": 100.0}
    paired, clustered, less = pairs.of(
        apart | {"paired_stderr": 0.02},
        apart | {"paired_stderr": 0.01, "clustered_stderr": 0.03},
        apart | {"paired_stderr": 0.04, "clustered_stderr": 0.03},
    )
    assert told(paired) == about("z, paired", 6, 2, 6 - 2 * Z, 6 + 2 * Z, p_of(3), "second")
    assert told(clustered) == about("z, clustered", 6, 3, 6 - 3 * Z, 6 + 3 * Z, p_of(2), "second")
    assert told(less) == about("z, clustered", 6, 4, 6 - 4 * Z, 6 + 4 * Z, p_of(1.5), "noise")


SHARES = {"share_low": 0.01, "share_high": 0.09, "share_p": 0.04}


def test_shares_of_the_same_questions_have_a_score_test(pairs: Pairs) -> None:
    """Its interval and p are its own. Where no answer flipped, the error is as wide as the interval."""
    paired, flat = pairs.of(
        {"second_amount": 5.0, "paired_stderr": 0.02, **SHARES},
        {"second_amount": 5.0, "paired_stderr": 0.0, **SHARES},
    )
    assert told(paired) == about("score, paired", 5, 2, 1, 9, 0.04, "second")
    assert told(flat) == about("score, paired", 5, 100 * 0.08 / (2 * Z), 1, 9, 0.04, "second")


def test_with_clusters_both_tests_must_reject_and_the_wider_interval_counts(pairs: Pairs) -> None:
    by_size = {"estimator": "mean by size", **SHARES}
    narrow, wide, flat, nothing, other = pairs.of(
        {"second_amount": 5.0, "clustered_stderr": 0.001, **by_size},
        {"second_amount": 5.0, "clustered_stderr": 0.04, **by_size},
        {"second_amount": 5.0, "clustered_stderr": 0.0, **by_size},
        {"second_amount": 0.0, "clustered_stderr": 0.0, **by_size},
        {"second_amount": 5.0, "clustered_stderr": 0.04, "estimator": "mean", **SHARES},
    )
    assert told(narrow) == about("score, clustered", 5, 0.1, 1, 9, 0.04, "second")
    assert told(wide) == about("score, clustered", 5, 4, 5 - 4 * Z, 5 + 4 * Z, p_of(1.25), "noise")
    assert told(flat) == about("score, clustered", 5, 100 * 0.08 / (2 * Z), 1, 9, 0.04, "second")
    assert told(nothing) == about("score, clustered", 0, 100 * 0.08 / (2 * Z), 0, 9, 1, "noise")
    assert told(other) == about("z, clustered", 5, 4, 5 - 4 * Z, 5 + 4 * Z, p_of(1.25), "noise")


def test_a_bootstrap_has_its_own_interval(pairs: Pairs) -> None:
    bootstrap = {"bootstrap_stderr": 0.02, "bootstrap_low": 0.01, "bootstrap_high": 0.09, "bootstrap_p": 0.03}
    (row,) = pairs.of({"second_amount": 5.0, "stderr_apart": 9.0, **bootstrap})
    assert told(row) == about("bootstrap", 5, 2, 1, 9, 0.03, "second")


GROWTH = {"first_amount": 100.0, "second_amount": 100 * math.e, "first_factor": 1.0, "second_factor": math.e,
          "higher_is_better": False, "unit": 100.0, "scale": 7.0}  # fmt: skip


def test_perplexities_are_tested_by_the_logarithm_of_their_ratio(pairs: Pairs) -> None:
    apart, paired, flat = pairs.of(
        GROWTH | {"ratio_stderr_apart": 0.25, "stderr_apart": 1.0},
        GROWTH | {"first_factor": 2.0, "second_factor": 2 * math.e, "ratio_stderr_apart": 0.25, "paired_stderr": 0.1},
        GROWTH | {"ratio_stderr_apart": 0.0},
    )
    low, high = (math.exp(1 + side * 0.25 * Z) - 1 for side in (-1, 1))
    difference = 100 * (math.e - 1)
    assert told(apart) == about(
        "z, independent", difference, 25 * math.e, 100 * low, 100 * high, p_of(4), "first"
    )  # fmt: skip
    assert told(paired) == about("z, paired", difference, 50 * math.e, 200 * low, 200 * high, p_of(4), "first")
    assert told(flat) == about(None, difference, 0, difference, difference, None, None)


def test_a_bootstrap_of_a_perplexity_is_of_its_logarithm(pairs: Pairs) -> None:
    bootstrap = {"bootstrap_stderr": 0.2, "bootstrap_low": 0.5, "bootstrap_high": 1.5, "bootstrap_p": 0.03}
    logs, plain, doubled = pairs.of(
        GROWTH | bootstrap | {"bootstrap_scale": "ln", "ratio_stderr_apart": 0.25},
        GROWTH | bootstrap | {"bootstrap_scale": "plain", "ratio_stderr_apart": 0.25},
        GROWTH | bootstrap | {"bootstrap_scale": "ln", "first_factor": 2.0, "second_factor": 2 * math.e},
    )
    interval = 100 * (math.exp(0.5) - 1), 100 * (math.exp(1.5) - 1), 0.03, "first"
    assert (doubled["ci_low"], doubled["ci_high"]) == (pytest.approx(2 * interval[0]), pytest.approx(2 * interval[1]))
    assert told(logs) == about("bootstrap", 100 * (math.e - 1), 20 * math.e, *interval)
    assert told(plain) == about("bootstrap", 100 * (math.e - 1), 25 * math.e, *interval)


def test_holms_correction_is_over_one_table_and_what_was_tested(pairs: Pairs) -> None:
    """p of 0.01, 0.02 and 0.03 of three: 0.03, 0.04, and no less than that; equal ones by position, then by task."""
    bootstrap = {"second_amount": 1.0, "bootstrap_stderr": 0.02}
    said = pairs.of(
        *(bootstrap | {"bootstrap_p": p} for p in (0.03, 0.01, 0.02)), {"second_amount": 1.0}, one_table=True
    )
    assert [row["p_holm"] for row in said] == [pytest.approx(p) for p in (0.04, 0.03, 0.04)] + [None]
    assert [row["p_holm"] for row in pairs.of(*(bootstrap | {"bootstrap_p": p} for p in (0.03, 0.01)))] == [0.03, 0.01]


def test_noise_begins_above_five_percent_and_without_a_direction_nobody_is_better_off(pairs: Pairs) -> None:
    bootstrap = {"second_amount": 1.0, "bootstrap_stderr": 0.02, "bootstrap_p": 0.05}
    said = pairs.of(
        bootstrap, bootstrap | {"bootstrap_p": 0.0501}, bootstrap | {"higher_is_better": False},
        bootstrap | {"second_amount": -1.0}, bootstrap | {"second_amount": -1.0, "higher_is_better": False},
        bootstrap | {"higher_is_better": None},
    )  # fmt: skip
    assert [row["better_off"] for row in said] == ["second", "noise", "first", "first", "second", None]
