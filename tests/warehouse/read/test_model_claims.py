"""model_claims_from, on series and changes by hand: each case is a model of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from by_hand import Z, fill, stand_in
from duckdb import DuckDBPyConnection

from warehouse.store import db, studies
from warehouse.store.answers import records

MADE = {"model": "org/M", "method": "maw", "metric": "acc", "filter": "none"}
LEVEL = MADE | {"intermediate_size": 90, "pruning_pct": 10.0}
Case = Sequence[Mapping[str, Any]]
Say = Callable[..., list[list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("models") / "results.duckdb"
    with db.open_write(path):
        pass
    with db.open_read(path) as con:
        studies.make_for(con, "model_claims claim_series")
        stand_in(con, "claim_changes", "changes")
        stand_in(con, "claim_series", "series")
        yield con


@pytest.fixture
def say(con: DuckDBPyConnection) -> Say:
    """What is said of each case's model, in order of the claims."""

    def rows(*cases: Case, changes: Sequence[Case] = ()) -> list[list[dict[str, Any]]]:
        fill(con, "series", [{"model_id": f"m{at}", **MADE, **row} for at, case in enumerate(cases) for row in case])
        fill(
            con, "changes", [{"model_id": f"m{at}", **LEVEL, **row} for at, case in enumerate(changes) for row in case]
        )
        found = records(con.execute("from model_claims_from('changes', 'series') order by claim"))
        return [[row for row in found if row["model_id"] == f"m{at}"] for at in range(max(len(cases), len(changes)))]

    return rows


def series(task: str, name: str, **about: Any) -> dict[str, Any]:
    known = {"levels": 2, "widths": 4, "errors_known": True, "better": 0, "gains": 0, "losses": 0, "losses_alone": 0}
    return {"task": task, "benchmark": name, "name": name, "kind": "score"} | known | about


def ifeval(**about: Any) -> list[dict[str, Any]]:
    return [series("ifeval", "IFEval", mean_gain=0.0, mean_low=0.0, mean_high=0.0, **about)]


def verdicts(said: list[list[dict]]) -> list[str]:
    return [row["verdict"] for (row,) in said]


def missing(said: list[list[dict]]) -> list[tuple]:
    return [(row["verdict"], row["says"], row["missing"]) for (row,) in said]


def test_instructions_improve_at_every_level(say: Say) -> None:
    told = {"levels": 6, "better": 6, "gains": 1, "mean_gain": 0.45, "mean_low": 0.06, "mean_high": 0.84}
    assert say([series("ifeval", "IFEval", conditions="few", **told)]) == [[
        {
            "claim": 1, "model": "org/M", "method": "maw", "verdict": "supported",
            "says": "IFEval better at 6 of 6 levels, 1 beyond noise; mean change +45.0 points (+6.0 to +84.0)",
            "missing": None, "conditions": "few", "model_id": "m0",
        }
    ]]  # fmt: skip


def test_a_mean_that_reaches_down_to_zero_is_no_gain(say: Say) -> None:
    def case(better: int, low: float, gains: int) -> list[dict]:
        return [ifeval(better=better, gains=gains)[0] | {"mean_low": low}]

    cases = [case(2, 0.001, 0), case(2, 0, 0), case(2, 0, 1), case(1, 0.001, 0), case(1, -0.1, 0)]
    assert verdicts(say(*cases)) == ["supported", "not supported", "mixed", "mixed", "not supported"]


def test_a_mean_takes_two_levels_and_errors(say: Say) -> None:
    assert missing(say(ifeval(levels=1), ifeval(errors_known=False))) == [
        ("cannot tell", None, "IFEval at 1 pruned levels only"),
        ("cannot tell", None, "no standard error of IFEval"),
    ]


def mc2(slope: float, stderr: float | None, **about: Any) -> list[dict[str, Any]]:
    return [series("truthfulqa_mc2", "MC2", slope=slope, slope_stderr=stderr, **about)]


def test_truth_rises_beyond_noise_and_no_level_is_worse(say: Say) -> None:
    said = say(
        mc2(0.02, 0.005, better=2, gains=1), mc2(Z, 1), mc2(1.001 * Z, 1), mc2(1, 0, losses=1),
        mc2(1, 0, levels=1), mc2(1, None),
    )  # fmt: skip
    assert (said[0][0]["claim"], said[0][0]["says"]) == (
        3, "MC2 +2.00 points for each 10 % (+1.02 to +2.98); better at 2 of 2 levels, 1 beyond noise, 0 clearly worse",
    )  # fmt: skip
    assert verdicts(said) == ["supported", "not supported", "supported", "mixed", "cannot tell", "cannot tell"]
    assert [row["missing"] for (row,) in said[4:]] == ["MC2 at 1 pruned levels only", "no standard error of MC2"]


def perplexity(log_r2: float, line_r2: float = 0.5, log_slope: float = 0.5, **about: Any) -> dict[str, Any]:
    return series(
        "wikitext", "WikiText", kind="perplexity", log_r2=log_r2, line_r2=line_r2, log_slope=log_slope, **about
    )


def test_a_perplexity_grows_exponentially_from_nine_tenths_on_and_better_than_on_a_line(say: Say) -> None:
    """Errors are not needed; four widths are."""
    said = say(
        [perplexity(0.9, errors_known=False)], [perplexity(0.89)], [perplexity(0.9, 0.9)],
        [perplexity(0.9, log_slope=0.0)], [perplexity(0.9, log_slope=-0.5)],
        [perplexity(0.95), perplexity(0.5, num_fewshot=1)], [perplexity(0.9, widths=3)],
    )  # fmt: skip
    assert said[0][0]["claim"] == 6
    assert said[0][0]["says"] == (
        "WikiText ×1.65 for each 10 %; an exponential explains 90 % of its logarithm, a straight line 50 % of the "
        "perplexity itself"
    )
    no = "not supported"
    assert verdicts(said) == ["supported", no, no, no, no, "mixed", "cannot tell"]
    assert said[6][0]["missing"] == "WikiText at 2 pruned levels only"


def gsm8k(losses_alone: int, losses: int, mean_pct: float, **about: Any) -> list[dict[str, Any]]:
    return [series("gsm8k", "GSM8K", losses_alone=losses_alone, losses=losses, mean_pct=mean_pct, **about)]


def test_arithmetic_is_fragile_where_half_is_lost_and_each_level_clearly(say: Say) -> None:
    said = say(
        gsm8k(2, 1, -50), gsm8k(2, 1, -49.9), gsm8k(1, 1, -90), gsm8k(2, 0, -49), gsm8k(2, 0, -50),
        gsm8k(1, 1, -50, levels=1), gsm8k(2, 2, -50, errors_known=False),
    )  # fmt: skip
    assert said[0][0]["claim"] == 9
    assert said[0][0]["says"] == (
        "GSM8K clearly worse at 2 of 2 levels, each alone, at 1 over all; on average -50 % of the score"
    )
    assert verdicts(said[:5]) == ["supported", "mixed", "mixed", "not supported", "supported"]
    assert [row["missing"] for (row,) in said[5:]] == ["GSM8K at 1 pruned levels only", "no standard error of GSM8K"]


def line(task: str, r2: float = 0.9, noise: bool = False, slope: float = -5, stderr: float | None = 1, **about: Any):
    return series(task, task, line_r2=r2, scatter_is_noise=noise, slope=slope, slope_stderr=stderr, **about)


def test_patterns_fall_on_a_line_but_for_noise(say: Say) -> None:
    tasks = ("hellaswag", "piqa", "winogrande")
    ((row,),) = say([line(tasks[0], slope=-0.05, stderr=0.01), line(tasks[1], 0.89, True), line(tasks[2], 0.95, True)])
    assert (row["claim"], row["verdict"]) == (10, "supported")
    assert row["says"] == (
        "hellaswag -5.0 points for each 10 % (-7.0 to -3.0), a line explains 90 %; "
        "piqa -500.0 points for each 10 % (-696.0 to -304.0), a line explains 89 %, the rest is noise; "
        "winogrande -500.0 points for each 10 % (-696.0 to -304.0), a line explains 95 %"
    )


def test_a_line_that_does_not_fall_beyond_noise_or_explains_too_little_is_none(say: Say) -> None:
    def both(**about: Any) -> list[dict]:
        return [line("piqa", **about), line("winogrande", **about)]

    no = [both(r2=0.89), both(slope=-Z), both(slope=5)]
    assert verdicts(say(*no, both(slope=-1.001 * Z), [line("piqa"), line("winogrande", r2=0.5)])) == [
        *["not supported"] * 3, "supported", "mixed",
    ]  # fmt: skip
    assert "noise" not in say(no[0])[0][0]["says"]


def test_one_pattern_or_one_that_says_nothing_leaves_too_few(say: Say) -> None:
    one = "piqa -500.0 points for each 10 % (-696.0 to -304.0), a line explains 90 %"
    said = say(
        [line("piqa")],
        [line("piqa"), line("piqa", num_fewshot=5)],
        [line("piqa"), line("winogrande", widths=3)],
        [line("piqa"), line("winogrande", stderr=None)],
        [line("piqa", widths=3, levels=2)],
    )
    assert missing(said) == [
        ("cannot tell", one, "1 more benchmark to tell from"),
        ("cannot tell", f"{one}; {one}", "1 more benchmark to tell from"),
        ("cannot tell", one, "winogrande at 2 pruned levels only"),
        ("cannot tell", one, "no standard error of winogrande"),
        ("cannot tell", None, "piqa at 2 pruned levels only; 1 more benchmark to tell from"),
    ]


def test_what_can_tell_decides_and_what_cannot_is_named_beside_it(say: Say) -> None:
    ((row,),) = say([line("hellaswag"), line("piqa"), line("winogrande", widths=3)])
    assert (row["verdict"], row["missing"]) == ("supported", "winogrande at 2 pruned levels only")


def verdict(task: str, of: str | None, pct: float = 10, **about: Any) -> dict[str, Any]:
    return {"task": task, "table_verdict": of, "pruning_pct": float(pct), "intermediate_size": 100 - pct} | about


def trade(pct: float, mmlu: str | None, ifeval: str | None = "noise", mc2: str | None = "gain") -> list[dict]:
    return [verdict("mmlu", mmlu, pct), verdict("ifeval", ifeval, pct), verdict("truthfulqa_mc2", mc2, pct)]


def test_knowledge_goes_while_instructions_and_truth_hold(say: Say) -> None:
    said = say(
        changes=[
            [*trade(10, "loss"), *trade(20, "loss"), verdict("piqa", "loss", 30)],
            [*trade(10, "loss"), *trade(20, "noise")],
            [*trade(10, "loss", ifeval="loss"), *trade(20, "loss", mc2="loss")],
            [*trade(10, "loss"), *trade(20, None)],
            [*trade(10, "loss"), *trade(20, "loss")[:2], *trade(30, "gain", ifeval="loss")],
        ]
    )
    at = "levels; clearly worse:"
    assert said[0] == [
        {
            "claim": 11, "model": "org/M", "method": "maw", "verdict": "supported",
            "says": f"at 2 of 2 {at} MMLU at 2, IFEval at 0, TruthfulQA-MC2 at 0", "missing": None, "conditions": None,
            "model_id": "m0",
        }
    ]  # fmt: skip
    assert missing(said[1:]) == [
        ("mixed", f"at 1 of 2 {at} MMLU at 1, IFEval at 0, TruthfulQA-MC2 at 0", None),
        ("not supported", f"at 0 of 2 {at} MMLU at 2, IFEval at 1, TruthfulQA-MC2 at 1", None),
        ("cannot tell", None, "the three benchmarks, with standard errors, at 1 pruned levels only"),
        ("mixed", f"at 1 of 2 {at} MMLU at 1, IFEval at 1, TruthfulQA-MC2 at 0", None),
    ]


def test_with_several_numbers_of_shots_knowledge_goes_with_each_and_nothing_else_with_any(say: Say) -> None:
    def twice(pct: float, **both: tuple[str | None, str | None]) -> list[dict]:
        told: dict[str, tuple] = {
            "mmlu": ("loss", "loss"),
            "ifeval": ("gain", "gain"),
            "truthfulqa_mc2": ("gain", "gain"),
        }
        return [
            verdict(task, of, pct, num_fewshot=shots)
            for task, verdicts_ in (told | both).items()
            for shots, of in enumerate(verdicts_)
        ]

    said = say(
        changes=[
            [*twice(10, mmlu=("loss", None)), *twice(20, mmlu=("loss", "noise"))],
            [*twice(10, ifeval=("noise", "loss")), *twice(20, truthfulqa_mc2=("loss", "gain"))],
        ]
    )
    assert [(row["verdict"], row["says"]) for (row,) in said] == [
        ("mixed", "at 1 of 2 levels; clearly worse: MMLU at 1, IFEval at 0, TruthfulQA-MC2 at 0"),
        ("not supported", "at 0 of 2 levels; clearly worse: MMLU at 2, IFEval at 1, TruthfulQA-MC2 at 1"),
    ]
