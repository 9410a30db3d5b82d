"""What the claims are told from, and what is said of each in the end: on rows by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from by_hand import fill, stand_in
from duckdb import DuckDBPyConnection

from warehouse.store import db, studies
from warehouse.store.answers import records

CHANGE = {
    "model_id": "m0", "model": "org/M", "method": "maw", "repair": "none", "task": "piqa", "benchmark": "PIQA",
    "metric": "acc", "filter": "none", "kind": "score", "is_headline": True, "pruning_pct": 10.0, "value": 0.4,
    "baseline": 0.5, "delta": -0.1, "improved": False, "higher_is_better": True,
}  # fmt: skip
NUMBERS = {
    "model_id": "m0", "model": "org/Made-1B", "method": "maw", "repair": "none", "unpruned": True, "parameters": 1000,
}  # fmt: skip


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("claims") / "results.duckdb"
    with db.open_write(path):
        pass
    with db.open_read(path) as con:
        studies.make_for(con, "claims claim_findings claim_numbers")
        stand_in(con, "claim_findings", "findings")
        con.execute("create or replace temp macro claim_findings_of(models) as table from findings")
        stand_in(con, "delta_statistics")
        stand_in(con, "headline_metrics")
        yield con


def changes(con: DuckDBPyConnection, *rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    fill(con, "delta_statistics", [{**CHANGE, "intermediate_size": at, **row} for at, row in enumerate(rows)])
    return records(con.execute("from claim_changes order by intermediate_size"))


def test_claims_are_about_headline_metrics_with_a_direction_and_numbers_to_compare(con) -> None:
    left_out = [
        {"is_headline": False}, {"value": math.nan}, {"value": math.inf}, {"baseline": math.nan},
        {"baseline": math.inf}, {"baseline": 0.0}, {"improved": None}, {"repair": "lsq"}, {"kind": "damage"},
    ]  # fmt: skip
    assert [row["intermediate_size"] for row in changes(con, {}, *left_out, {"baseline": -0.5})] == [0, 10]


def test_a_change_is_a_gain_where_it_is_better(con) -> None:
    up, down = changes(con, {"delta": 0.1}, {"delta": 0.1, "higher_is_better": False})
    assert (up["gain"], down["gain"]) == (0.1, -0.1)


def test_the_errors_of_percentages_keep_the_pairing(con) -> None:
    """Of 0.03 and 0.02, and 0.01 of their difference, by the delta method; a perplexity's is its factor's."""
    errors = {"value_stderr": 0.03, "baseline_stderr": 0.02, "stderr": 0.01}
    shared = 0.03**2 + 0.02**2 - 0.01**2
    score, perplexity, unknown = changes(
        con,
        {"chance": 0.25, "retained_pct": 60.0, **errors},
        {"factor": 2.0, "log_stderr": 0.1, **errors},
        {"chance": 0.25, "retained_pct": 60.0, "value_stderr": 0.03, "baseline_stderr": 0.02},
    )
    assert score["pct_stderr"] == pytest.approx(200 * math.sqrt(abs(0.03**2 + (0.8 * 0.02) ** 2 - 0.8 * shared)))
    assert score["retained_stderr"] == pytest.approx(400 * math.sqrt(abs(0.03**2 + (0.6 * 0.02) ** 2 - 0.6 * shared)))
    assert (perplexity["pct_stderr"], perplexity["retained_stderr"]) == (pytest.approx(20), None)
    assert (unknown["pct_stderr"], unknown["retained_stderr"]) == (None, None)


def test_numbers_are_those_of_a_claims_tasks_and_of_any_perplexity_those_of_the_sixth(con) -> None:
    changes(
        con, {"task": "gsm8k"}, {"task": "mine", "kind": "perplexity"}, {"task": "mine"},
        {"task": "lambada_openai", "kind": "perplexity"},
    )  # fmt: skip
    told = con.execute("select claim, task, kind from claim_numbers order by all").fetchall()
    assert told == [
        (5, "gsm8k", "score"), (6, "lambada_openai", "perplexity"), (6, "mine", "perplexity"),
        (7, "lambada_openai", "perplexity"), (9, "gsm8k", "score"),
    ]  # fmt: skip


def pairs(con: DuckDBPyConnection, *models: Mapping[str, Any], of: str = "null::varchar[]") -> list[tuple]:
    fill(con, "headline_metrics", [{**NUMBERS, "model_id": f"m{at}", **model} for at, model in enumerate(models)])
    return con.execute(f"select smaller_id, larger_id, family from claim_pairs_of({of}) order by all").fetchall()


def test_a_pair_is_of_one_family_and_a_fifth_apart(con) -> None:
    three = {"model": "org/Made-3B"}
    assert pairs(con, {}, three | {"parameters": 1200}) == [("m0", "m1", "org/made-*")]
    assert pairs(con, {}, three | {"parameters": 1199}) == []
    assert pairs(con, {"model": "org/Made-0.5b"}, {"model": "org/made-70M", "parameters": 2000}) == [
        ("m0", "m1", "org/made-*")
    ]
    assert pairs(con, {}, {"model": "org/Other-3B", "parameters": 2000}) == []
    assert pairs(con, {}, {"model": "org/Made-3Base", "parameters": 2000}) == []
    assert pairs(con, {}, three | {"parameters": 2000}, {"model": "org/Made-7B", "parameters": 3000}) == [
        ("m0", "m1", "org/made-*"), ("m0", "m2", "org/made-*"), ("m1", "m2", "org/made-*"),
    ]  # fmt: skip


def test_a_pair_is_pruned_and_measured_alike_and_told_from_what_is_unpruned(con) -> None:
    three = {"model": "org/Made-3B", "parameters": 2000}
    assert pairs(con, {}, three | {"method": "pp"}) == []
    assert pairs(con, {"repair": "lsq"}, three | {"repair": "lsq"}) == []
    assert pairs(con, {}, three | {"conditions": "few"}) == []
    assert pairs(con, {"conditions": "few"}, three | {"conditions": "few"}) == [("m0", "m1", "org/made-*")]
    assert pairs(con, {}, three | {"unpruned": False}) == []
    assert pairs(con, {}, three, {"model_id": "m0", "parameters": 1900}) == []
    assert pairs(con, {}, three, of="['m0', 'm1']") == [("m0", "m1", "org/made-*")]
    assert pairs(con, {}, three, of="['m0']") == []


def finding(verdict: str, claim: int = 9, **about: Any) -> dict[str, Any]:
    return {"claim": claim, "model": "org/M", "method": "maw", "verdict": verdict, "says": "so"} | about


def of_claim(con: DuckDBPyConnection, *findings: Mapping[str, Any], claim: int = 9) -> dict[str, Any]:
    fill(con, "findings", findings)
    rows = records(con.execute("from claims_of(null::varchar[])"))
    assert [row["claim"] for row in rows] == list(range(1, 12))
    return rows[claim - 1]


YES, NO, MIXED, CANNOT = "supported", "not supported", "mixed", "cannot tell"


@pytest.mark.parametrize(
    ("verdicts", "verdict", "counts"),
    [
        ((YES, YES), YES, (2, 0, 0, 0)),
        ((YES, CANNOT), YES, (1, 0, 0, 1)),
        ((NO, NO, CANNOT), NO, (0, 0, 2, 1)),
        ((YES, NO), MIXED, (1, 0, 1, 0)),
        ((MIXED,), MIXED, (0, 1, 0, 0)),
        ((YES, MIXED), MIXED, (1, 1, 0, 0)),
        ((NO, MIXED), MIXED, (0, 1, 1, 0)),
        ((CANNOT, CANNOT), CANNOT, (0, 0, 0, 2)),
        ((), CANNOT, (0, 0, 0, 0)),
    ],
)
def test_a_claim_is_supported_where_all_that_can_tell_support_it(con, verdicts, verdict, counts) -> None:
    row = of_claim(con, *(finding(one) for one in verdicts), finding(NO, claim=1), finding(YES, claim=1))
    assert (row["verdict"], *(row[name] for name in ("supporting", "mixed", "opposing", "cannot_tell"))) == (
        verdict, *counts,
    )  # fmt: skip
    assert len(row["findings"] or ()) == len(verdicts)


def test_a_claim_has_its_findings_in_order_and_what_they_miss(con) -> None:
    row = of_claim(
        con,
        finding(CANNOT, model="org/B", missing="two levels", says=None),
        finding(CANNOT, model="org/A", larger="org/C", missing="errors", says=None),
        finding(YES, model="org/A", larger="org/B"),
    )
    assert row["missing"] == "org/A and org/C: errors; org/B: two levels"
    common = {"method": "maw", "conditions": None}
    assert row["findings"] == [
        common | {"model": "org/A", "larger": "org/B", "verdict": YES, "says": "so", "missing": None},
        common | {"model": "org/A", "larger": "org/C", "verdict": CANNOT, "says": None, "missing": "errors"},
        common | {"model": "org/B", "larger": None, "verdict": CANNOT, "says": None, "missing": "two levels"},
    ]
    assert (row["title"], row["needs"]) == (
        "GSM8K is severely fragile, whatever the size", "GSM8K at full width and at two pruned widths or more",
    )  # fmt: skip


def test_without_findings_a_claim_misses_all_that_it_needs_and_with_whole_ones_nothing(con) -> None:
    assert of_claim(con)["missing"] == "GSM8K at full width and at two pruned widths or more"
    assert of_claim(con)["findings"] is None
    assert of_claim(con, finding(YES))["missing"] is None


def test_the_claims_are_about_the_studys_benchmarks(con) -> None:
    told = con.execute("select claim, tasks, version, v3_says is not null from claim_list order by claim").fetchall()
    assert {claim: tasks for claim, tasks, *_ in told} == {
        1: ["ifeval"], 2: ["leaderboard_musr"], 3: ["truthfulqa_mc2"], 4: ["truthfulqa_mc1"],
        5: ["mmlu", "gsm8k", "boolq"], 6: ["wikitext", "lambada_openai"], 7: ["lambada_openai"],
        8: ["mmlu", "ifeval", "leaderboard_musr", "truthfulqa_mc2"], 9: ["gsm8k"],
        10: ["hellaswag", "piqa", "winogrande"], 11: ["ifeval", "truthfulqa_mc2", "mmlu"],
    }  # fmt: skip
    assert {version for *_, version, _ in told} == {"arXiv 2512.22671v1 and v2"}
    assert [claim for claim, *_, changed in told if changed] == [1, 3, 11]
