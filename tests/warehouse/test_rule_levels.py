"""rule_levels, on changes by hand: what a level scores under a rule, and with which error."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from rule_rows import NAN, Levels, change, each, rule

from warehouse.store import db

# Errors of 0.04 and 0.03, of which pairing leaves 0.03: the covariance is 0.0008.
ERRORS = {"unpaired_stderr": 0.05, "baseline_stderr": 0.03, "stderr": 0.03}
PIQA_SHARE = 80 * math.sqrt(0.0016 / 0.4**2 + 0.0009 / 0.5**2 - 2 * 0.0008 / (0.4 * 0.5))
BOOLQ_SHARE = 60 * math.sqrt(0.0016 / 0.3**2 + 0.0009 / 0.5**2 - 2 * 0.0008 / (0.3 * 0.5))


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Levels]:
    path = tmp_path_factory.mktemp("levels") / "results.duckdb"
    with db.open_write(path):
        pass
    with db.open_read(path) as con:
        yield Levels(con)


def test_a_levels_score_is_the_weighted_mean_of_its_shares(levels: Levels) -> None:
    """80 and 60 % by weights of 1 and 3; MMLU, which improved, weighs nothing."""
    piqa, boolq = change("piqa", 0.4, **ERRORS), change("boolq", 0.3, **ERRORS)
    assert levels.judge((rule(piqa=1, boolq=3), [piqa, boolq, change("mmlu", 0.6, **ERRORS)])) == [[
        {
            "rule": "rule-0", "model": "org/M", "method": "maw", "repair": "none", "pruning_pct": 20.0,
            "score": pytest.approx(65), "score_stderr": pytest.approx(math.hypot(PIQA_SHARE, 3 * BOOLQ_SHARE) / 4),
            "unit": "%", "broken_floors": None, "missing": None, "eligible": True, "counted": 2, "prefer": "score",
            "measure": "share", "in_use": False, "intermediate_size": 80, "expansion_ratio": 2.0, "parameters": 500,
            "parameters_pct": 50.0,
            "retained_pct": pytest.approx(260 / 3), "benchmarks": 3, "improved": 1,
            "worst_benchmark": "BoolQ", "worst_retained_pct": pytest.approx(60), "conditions": None, "model_id": "m0",
            "left_out": None,
        }
    ]]  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "unit", "score", "stderr"),
    [
        ("share", "%", 80, PIQA_SHARE),
        ("points", "points", -10, 3),
        ("from chance", "%", 60, 400 * math.sqrt(0.0016 - 2 * 0.6 * 0.0008 + (0.6 * 0.03) ** 2)),
    ],
)
def test_a_measure_has_its_unit_and_its_error(
    levels: Levels, measure: str, unit: str, score: float, stderr: float
) -> None:
    case = [change("piqa", 0.4, chance=0.25, retained_pct=60.0, **ERRORS)]
    ((row,),) = levels.judge((rule(measure, piqa=1), case))
    assert [row[name] for name in ("measure", "unit", "score", "score_stderr")] == [
        measure, unit, pytest.approx(score), pytest.approx(stderr),
    ]  # fmt: skip


def test_a_score_has_no_error_where_one_of_its_benchmarks_has_none(levels: Levels) -> None:
    """One that does not count may lack it."""
    without = change("boolq", 0.3)
    case = [change("piqa", 0.4, **ERRORS), without]
    said = levels.judge((rule(piqa=1, boolq=1), case), (rule(piqa=2), case))
    assert [(row["score"], row["score_stderr"], row["counted"]) for (row,) in said] == [
        (pytest.approx(70), None, 2), (pytest.approx(80), pytest.approx(PIQA_SHARE), 1),
    ]  # fmt: skip


def test_what_is_left_of_a_perplexity_is_its_baseline_by_it(levels: Levels) -> None:
    """Its error is that of its logarithm. Without a direction a score counts as one that is better higher."""
    said = levels.judge(
        *each(
            rule(all_=1),
            [change("wikitext", 20.0, 10.0, log_stderr=0.1)],
            [change("piqa", 0.25, higher_is_better=None)],
            [change("piqa", 0.0), change("boolq", 0.5)],
            [change("wikitext", 0.0, 10.0), change("boolq", 0.5)],
        )
    )
    told = ("score", "score_stderr", "counted", "benchmarks", "left_out")
    assert [[row[name] for name in told] for (row,) in said] == [
        [50.0, pytest.approx(5), 1, 1, None],
        [50.0, None, 1, 1, None],
        [50.0, None, 2, 2, None],
        [100.0, None, 1, 1, "WikiText"],
    ]


def test_a_value_that_is_no_number_keeps_nothing(levels: Levels) -> None:
    no_number = change("piqa", NAN, delta=None, improved=None, chance=0.25, retained_pct=NAN)
    worse = change("piqa", NAN, -0.5, delta=None, improved=None)
    said = levels.judge(
        (rule(piqa=1), [no_number]),
        *each(rule("points", piqa=1), [no_number], [worse]),
        *each(rule("from chance", piqa=1), [no_number], [no_number | {"retained_pct": None}]),
    )
    assert [(row["score"], row["missing"]) for (row,) in said] == [
        (0.0, None), (-50.0, None), (-50.0, None), (0.0, None), (None, "PIQA is not clear of chance unpruned"),
    ]  # fmt: skip


def test_points_are_turned_where_lower_is_better(levels: Levels) -> None:
    said = levels.judge(
        *each(
            rule("points", piqa=1),
            [change("piqa", 0.4, higher_is_better=False)],
            [change("piqa", 0.4, higher_is_better=None)],
            [change("piqa", 0.4)],
        )
    )
    assert [row["score"] for (row,) in said] == [pytest.approx(10), pytest.approx(-10), pytest.approx(-10)]


def test_only_headline_metrics_with_a_baseline_that_is_a_number_count(levels: Levels) -> None:
    other, none = change("boolq", 0.1, is_headline=False), change("boolq", 0.1, NAN)
    said = levels.judge(*each(rule(all_=1), [change("piqa", 0.4), other], [change("piqa", 0.4), none], [other, none]))
    assert [[(row["score"], row["benchmarks"]) for row in rows] for rows in said] == [[(80.0, 1)], [(80.0, 1)], []]


def test_a_benchmark_counts_by_its_name_before_its_group_and_by_that_before_all(levels: Levels) -> None:
    """80, 60 and 50 %; a task's name is as good as a benchmark's, and letters large or small."""
    case = [change("piqa", 0.4), change("mmlu", 0.3), change("wikitext", 20.0, 10.0)]
    rules = [
        rule(all_=1), rule(scores=1), rule(perplexities=1), rule(all_=1, scores=3), rule(all_=1, scores=2, PIQA=5),
        rule(all_=1, perplexities=0), rule(all_=0, piqa=1), rule(WikiText=1, mmlu=1),
    ]  # fmt: skip
    said = levels.judge(*((one, case) for one in rules))
    assert [(row["score"], row["counted"]) for (row,) in said] == [
        (pytest.approx(score), counted)
        for score, counted in (
            (190 / 3, 3), (70, 2), (50, 1), ((3 * 80 + 3 * 60 + 50) / 7, 3), ((5 * 80 + 2 * 60 + 50) / 8, 3), (70, 2),
            (80, 1), (55, 2),
        )
    ]  # fmt: skip


def test_numbers_of_shots_share_a_benchmarks_weight(levels: Levels) -> None:
    """The mean of 80 and 60 % with the mean of their errors; improved is what improved with each."""
    shots = [
        change("piqa", 0.4, num_fewshot=0, improved=True, **ERRORS),
        change("piqa", 0.3, num_fewshot=5, improved=True, **ERRORS),
    ]
    mixed = [shots[0], shots[1] | {"improved": None}]
    said = levels.judge(
        *each(rule(piqa=2, boolq=1), [*shots, change("boolq", 0.5, **ERRORS)], [*mixed, change("boolq", 0.5)])
    )
    boolq = 100 * math.sqrt(0.0016 / 0.25 + 0.0009 / 0.25 - 2 * 0.0008 / 0.25)
    told = ("score", "score_stderr", "counted", "benchmarks", "retained_pct", "improved", "worst_retained_pct")
    assert [[row[name] for name in told] for (row,) in said] == [
        [pytest.approx(80), pytest.approx(math.hypot(PIQA_SHARE + BOOLQ_SHARE, boolq) / 3), 2, 2, 85.0, 1, 70.0],
        [pytest.approx(80), None, 2, 2, 85.0, 0, 70.0],
    ]


def test_a_number_of_shots_that_cannot_be_told_leaves_the_others(levels: Levels) -> None:
    """Unpruned it scores zero: no share is to be taken of it. Of the other, its error too."""
    shots = [change("piqa", 0.4, num_fewshot=0, **ERRORS), change("piqa", 0.3, 0.0, num_fewshot=5)]
    ((row,),) = levels.judge((rule(piqa=1), shots))
    told = ("score", "score_stderr", "counted", "retained_pct", "left_out")
    assert [row[name] for name in told] == [pytest.approx(80), pytest.approx(PIQA_SHARE), 1, 80.0, None]


def test_the_worst_benchmark_keeps_least_and_of_equals_it_stands_first(levels: Levels) -> None:
    said = levels.judge(
        *each(
            rule(all_=1),
            [change("piqa", 0.4), change("boolq", 0.4), change("mmlu", 0.45)],
            [change("piqa", 0.3), change("boolq", 0.4), change("mmlu", 0.2, 0.0)],
        )
    )
    told = ("worst_benchmark", "worst_retained_pct", "left_out")
    assert [[row[name] for name in told] for (row,) in said] == [["BoolQ", 80.0, None], ["PIQA", 60.0, "MMLU"]]


def test_a_baseline_within_its_own_error_of_zero_has_no_share(levels: Levels) -> None:
    """Nor a growth; and what is left out of the mean is named in the order of tables."""
    near = {"baseline_stderr": 0.5}
    said = levels.judge((rule(all_=1), [change("piqa", 0.4, **near), change("boolq", 0.4, -0.1), change("mmlu", 0.4)]))
    told = ("score", "counted", "benchmarks", "left_out", "retained_pct")
    assert [[row[name] for name in told] for (row,) in said] == [[80.0, 1, 1, "BoolQ, PIQA", 80.0]]
