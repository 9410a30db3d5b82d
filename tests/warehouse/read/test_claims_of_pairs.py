"""The study's claims about two sizes with levels, shots or versions of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from claims_of import AS_THE_STUDY_SAYS, LEVELS, WIDTHS, answer
from statsmodels.api import WLS, add_constant

from warehouse.store import db

FINDINGS = "select claim, model, verdict from claim_findings order by claim, model"
VERDICTS = "select claim, verdict from claims"


@pytest.fixture
def ask(database: Path) -> Callable[..., list[tuple]]:
    return partial(answer, database)


@pytest.fixture
def at_own_levels(new_run, merged, metric):
    """Merges two sizes of a family, each with scores at levels of its own: level → task → score."""

    def write(smaller, larger) -> None:
        for size, scale, scores in (("1B", 1, smaller), ("3B", 3, larger)):
            run = new_run(f"r{size}")
            widths = {level: 100 - int(level) for level in scores}
            run.start(model=f"org/Made-{size}", weights=size, widths=widths, scale=scale)
            for level, by_task in scores.items():
                for task, value in by_task.items():
                    name = "perplexity" if task == "lambada_openai" else "acc"
                    error = None if name == "perplexity" else 0.01
                    run.cell(level, task, metrics=[metric(name, value, stderr=error, n=None)])
            merged(run)

    return write


STUDY = dict.fromkeys(("mmlu", "ifeval", "leaderboard_musr", "truthfulqa_mc2"), 0.5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("smaller", "larger", "told"),
    [(("40",), ("10",), 0), (("10",), ("10",), 1), (("10", "40"), ("10", "20"), 1)],
    ids=["one level each", "the same one", "one in common"],
)
def test_which_size_can_be_pruned_more_takes_two_levels_in_common(at_own_levels, ask, smaller, larger, told):
    at_own_levels(*(dict.fromkeys(("0", *levels), STUDY) for levels in (smaller, larger)))
    assert ask("select verdict, missing from claim_findings where claim = 8") == [
        ("cannot tell", f"what the rule `study` needs at {told} levels in common only")
    ]


@pytest.mark.slow
def test_curves_that_are_equal_where_both_were_measured_are_not_told_apart(at_own_levels, ask):
    """Fitted over 10 to 60 % and over 10 to 30 %, curves that are equal to 0.1 % had slopes of 1.62 and 1.27."""

    def curve(pct: int, off: float) -> float:
        return 10 * math.exp(0.002 * pct**1.8) * (1 + off * (-1) ** (pct // 10))

    at_own_levels(
        {str(pct): {"lambada_openai": curve(pct, 0.0005)} for pct in range(0, 40, 10)},
        {str(pct): {"lambada_openai": curve(pct, -0.0005)} for pct in range(0, 70, 10)},
    )
    ((verdict, says),) = ask("select verdict, says from claim_findings where claim = 7")
    assert verdict != "supported"
    assert "levels; " in says
    assert says.endswith("within noise")


@pytest.mark.slow
def test_curves_told_apart_by_students_t(at_own_levels, ask):
    """Four common widths leave two degrees of freedom, of which t is 4.30: on the difference of the two curves."""
    levels = ("0", "10", "20", "30")
    smaller, larger = (5, 10, 21, 39), (4, 16, 60, 256)
    at_own_levels(
        *({level: {"lambada_openai": value} for level, value in zip(levels, values, strict=True)}
          for values in (smaller, larger))
    )  # fmt: skip
    apart = np.log(np.array(larger) / 4) - np.log(np.array(smaller) / 5)
    fit = WLS(apart, add_constant(np.arange(4))).fit()
    low, _ = fit.conf_int()[1]
    ((verdict, says),) = ask("select verdict, says from claim_findings where claim = 7")
    assert low > 0
    assert verdict == "supported"
    assert says.endswith("beyond noise")


def test_claims_name_the_version_of_the_study_that_makes_them(database, ask):
    with db.open_write(database):
        pass
    rows = ask("select claim, version, v3_says from claims order by claim")
    assert {version for _, version, _ in rows} == {"arXiv 2512.22671v1 and v2"}
    changed = {claim: told for claim, _, told in rows if told is not None}
    assert "+4.8 points in the 1B, +3.7 in the 3B" in changed[1]
    assert "no longer claimed" in changed[3]
    assert "no longer claimed" in changed[11]


@pytest.mark.slow
def test_curves_of_which_each_is_steeper_at_half_of_the_levels_are_mixed(at_own_levels, ask):
    levels = ("0", "10", "20", "30", "40")
    smaller, larger = (5, 10, 20, 40, 80), (4, 12, 20, 24, 40)
    at_own_levels(
        *({level: {"lambada_openai": value} for level, value in zip(levels, values, strict=True)}
          for values in (smaller, larger))
    )  # fmt: skip
    ((verdict, says),) = ask("select verdict, says from claim_findings where claim = 7")
    assert verdict == "mixed"
    assert says.startswith("LAMBADA grows more in the larger at 2 of 4 levels; ")


@pytest.fixture
def at_two_shots(new_run, merged, metric):
    """Merges two sizes of a family with these scores of each benchmark, with 0 and with 5 shots."""

    def write(scores) -> None:
        for size, scale in (("1B", 1), ("3B", 3)):
            run = new_run(f"r{size}")
            run.start(model=f"org/Made-{size}", weights=size, widths=WIDTHS, scale=scale)
            for task, by_shots in scores.items():
                for shots, values in zip((0, 5), by_shots, strict=True):
                    for level, value in zip(LEVELS, values, strict=True):
                        metrics = [metric("acc", value, stderr=0.01, n=None)]
                        run.cell(level, task, metrics=metrics, num_fewshot=shots)
            merged(run)

    return write


@pytest.mark.slow
@pytest.mark.parametrize(("claim", "task"), [(10, "hellaswag"), (5, "mmlu")], ids=["one model", "two sizes"])
def test_a_benchmark_with_two_numbers_of_shots_is_one_benchmark(at_two_shots, ask, claim, task):
    at_two_shots({task: ((0.7, 0.6, 0.5, 0.4), (0.8, 0.7, 0.6, 0.5))})
    rows = ask(f"select verdict, missing from claim_findings where claim = {claim}")
    assert set(rows) == {("cannot tell", "1 more benchmark to tell from")}


@pytest.mark.slow
def test_a_benchmark_with_two_versions_goes_by_them_and_by_no_shots(new_run, merged, metric, ask):
    for size, scale in (("1B", 1), ("3B", 3)):
        run = new_run(f"r{size}")
        run.start(model=f"org/Made-{size}", weights=size, widths=WIDTHS, scale=scale)
        for version in ("1", "2"):
            for level, value in zip(LEVELS, AS_THE_STUDY_SAYS["leaderboard_musr"][0], strict=True):
                metrics = [metric("acc_norm", value, stderr=0.01, n=None)]
                run.cell(level, "leaderboard_musr", metrics=metrics, version=version)
        merged(run)
    ((says,),) = ask("select says from claim_findings where claim = 2")
    assert says.startswith("MuSR (version 1) of the smaller better at 3 of 3 levels, ")
    assert "; MuSR (version 2) of the smaller better at 3 of 3 levels, " in says


@pytest.mark.slow
def test_a_claim_about_one_benchmark_must_hold_with_each_number_of_shots(at_two_shots, ask):
    at_two_shots({"ifeval": ((0.10, 0.20, 0.25, 0.30), (0.30, 0.25, 0.20, 0.10))})
    ((verdict, says),) = ask("select verdict, says from claim_findings where claim = 1 and model like '%1B'")
    assert verdict == "mixed"
    assert says.startswith("IFEval (0-shot) better at 3 of 3 levels, ")
    assert "; IFEval (5-shot) better at 0 of 3 levels, " in says


@pytest.mark.slow
def test_knowledge_goes_where_it_is_lost_with_each_number_of_shots(at_two_shots, ask):
    level = (0.5, 0.5, 0.5, 0.5)
    at_two_shots(
        {
            "ifeval": (level, level),
            "truthfulqa_mc2": (level, level),
            "mmlu": ((0.7, 0.4, 0.4, 0.4), (0.7, 0.4, 0.4, 0.7)),
        }
    )
    rows = ask("select says from claim_findings where claim = 11")
    assert set(rows) == {("at 2 of 3 levels; clearly worse: MMLU at 2, IFEval at 0, TruthfulQA-MC2 at 0",)}
