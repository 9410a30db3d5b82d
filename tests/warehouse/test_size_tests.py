"""size_tests: two models of 1000 and 2000 parameters, against SciPy and statsmodels."""

from __future__ import annotations

import math
from typing import Any

import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

SMALL = {"piqa": (0.6, 0.5), "boolq": (0.7, 0.69), "winogrande": (0.6, 0.58)}
LARGE = {"piqa": (0.8, 0.5), "boolq": (0.7, 0.60), "winogrande": (0.7, 0.69)}
S = 0.02


@pytest.fixture
def two_sizes(new_run, merged, metric):
    def measure(large_widths: dict[str, int]) -> None:
        for name, scale, scores, widths in (
            ("org/Tiny", 1, SMALL, {"0": 100, "20": 80}),
            ("org/Large", 2, LARGE, large_widths),
        ):
            run = new_run(f"r{scale}")
            run.start(model=name, weights=name, scale=scale, widths=widths)
            for task, values in scores.items():
                for level, value in zip(widths, values, strict=True):
                    run.cell(level, task, metrics=[metric("acc", value, stderr=S)])
            merged(run)

    return measure


@pytest.mark.slow
def test_which_size_loses_more_points_is_a_corrected_z_test(two_sizes, ask):
    two_sizes({"0": 100, "20": 80})
    tasks = sorted(SMALL)
    differences = [(LARGE[t][1] - LARGE[t][0]) - (SMALL[t][1] - SMALL[t][0]) for t in tasks]
    stderr = math.sqrt(4 * S * S)
    p = [2 * stats.norm.sf(abs(d) / stderr) for d in differences]
    holm: Any = multipletests(p, method="holm")[1]
    rows = ask(
        "select task, difference, stderr, ci_low, p_value, p_holm, better_off from size_tests "
        "where basis = 'percentage' and measure = 'points' order by task"
    )
    assert [row[:6] for row in rows] == [
        (t, pytest.approx(d), pytest.approx(stderr), pytest.approx(d - 1.959963984540054 * stderr),
         pytest.approx(one, abs=1e-12), pytest.approx(corrected, abs=1e-12))
        for t, d, one, corrected in zip(tasks, differences, p, holm, strict=True)
    ]  # fmt: skip
    verdicts = [
        "noise" if h > 0.05 else "larger" if d > 0 else "smaller" for d, h in zip(differences, holm, strict=True)
    ]
    assert [row[6] for row in rows] == verdicts
    assert "smaller" in verdicts


@pytest.mark.slow
def test_changes_in_percent_have_their_error_by_the_delta_method(two_sizes, ask):
    two_sizes({"0": 100, "20": 80})

    def relative(baseline: float, value: float) -> float:
        return 100 * abs(value / baseline) * math.hypot(S / value, S / baseline)

    expected = math.hypot(relative(*SMALL["piqa"]), relative(*LARGE["piqa"]))
    ((difference, stderr),) = ask(
        "select difference, stderr from size_tests where basis = 'percentage' and measure = 'percent' and task = 'piqa'"
    )
    assert difference == pytest.approx(100 * (0.5 / 0.8 - 1) - 100 * (0.5 / 0.6 - 1))
    assert stderr == pytest.approx(expected)


INTERVALS = (
    "select smaller_low, smaller_high, larger_low, larger_high from size_tests "
    "where basis = 'percentage' and measure = '{}' and task = '{}' and smaller_pruning_pct = 20"
)
Z = 1.959963984540054


def test_each_sizes_change_has_an_interval_of_its_own(two_sizes, ask):
    two_sizes({"0": 100, "20": 80})
    margin = Z * math.sqrt(2) * S
    assert ask(INTERVALS.format("points", "piqa")) == [
        tuple(pytest.approx(change + side * margin) for change in (0.5 - 0.6, 0.5 - 0.8) for side in (-1, 1))
    ]


def test_the_interval_of_a_perplexitys_growth_is_one_of_its_logarithm(new_run, merged, metric, ask):
    for scale, (name, before) in enumerate({"org/Tiny": 10.0, "org/Large": 8.0}.items(), start=1):
        run = new_run(f"r{scale}")
        run.start(model=name, weights=name, scale=scale, widths={"0": 100, "20": 80})
        for level, value in (("0", before), ("20", 20.0)):
            run.cell(level, "lambada_openai", metrics=[metric("perplexity", value, stderr=value / 50)])
        merged(run)
    margin = Z * math.sqrt(2) / 50
    assert ask(INTERVALS.format("percent", "lambada_openai")) == [
        tuple(pytest.approx(100 * (growth * math.exp(side * margin) - 1)) for growth in (2.0, 2.5) for side in (-1, 1))
    ]


def test_the_nearest_width_within_five_percent_has_equal_parameters(two_sizes, ask):
    two_sizes({"0": 100, "52": 48})
    assert ask(
        "select distinct smaller_pruning_pct, larger_pruning_pct, parameters_off_pct, measure from size_tests "
        "where basis = 'parameters'"
    ) == [(0.0, 52.0, pytest.approx(-4.0), "score")]


def test_farther_off_than_five_percent_is_no_match(two_sizes, ask):
    two_sizes({"0": 100, "60": 40})
    assert ask("select count(*) from size_tests where basis = 'parameters' and smaller_pruning_pct = 0") == [(0,)]


def test_equal_ratios_meet(two_sizes, ask):
    """80 of 25 neurons a hidden unit is a ratio of 3.2; the large model has 80 of 50, which is 1.6."""
    two_sizes({"0": 100, "20": 80})
    assert ask("select count(*) from size_tests where basis = 'expansion ratio'") == [(0,)]


def test_without_one_models_errors_a_change_in_percent_is_not_tested(new_run, merged, metric, ask):
    for name, scale, stderr in (("org/Tiny", 1, S), ("org/Large", 2, None)):
        run = new_run(f"r{scale}")
        run.start(model=name, weights=name, scale=scale, widths={"0": 100, "20": 80})
        for level, value in (("0", 0.8), ("20", 0.5)):
            run.cell(level, "other", metrics=[metric("f1", value, stderr=stderr)])
        merged(run)
    assert ask(
        "select difference, stderr, ci_low, p_value, better_off from size_tests "
        "where basis = 'percentage' and measure = 'percent'"
    ) == [(pytest.approx(0), None, None, None, None)]


@pytest.mark.slow
def test_a_score_without_an_error_gets_the_binomial_one_and_says_so(new_run, merged, metric, ask):
    """IFEval has 541 questions; the unpruned scores, too, though nothing is compared with them."""
    for name, scale, stderr in (("org/Tiny", 1, S), ("org/Large", 2, None)):
        run = new_run(f"r{scale}")
        run.start(model=name, weights=name, scale=scale, widths={"0": 100, "20": 80})
        for level, value in (("0", 0.4), ("20", 0.3)):
            run.cell(level, "ifeval", metrics=[metric("prompt_level_strict_acc", value, stderr=stderr, n=None)])
        merged(run)
    errors = [math.hypot(S, math.sqrt(p * (1 - p) / 541)) for p in (0.4, 0.3)]
    rows = ask(
        "select smaller_stderr_kind, larger_stderr_kind, stderr, p_value from size_tests "
        "where basis = 'percentage' and measure = 'score' order by basis_value"
    )
    assert rows == [("reported", "binomial", pytest.approx(error), pytest.approx(1)) for error in errors]
    assert ask("select distinct smaller_stderr_kind, larger_stderr_kind from size_tests where measure = 'points'") == [
        ("unpaired", "binomial")
    ]


@pytest.mark.slow
def test_perplexities_are_compared_by_the_logarithm_of_their_ratio(new_run, merged, metric, ask):
    scores = {"org/Tiny": ((10.0, 0.2), (20.0, 0.5)), "org/Large": ((8.0, 0.1), (3.6e21, 1.0e21))}
    for scale, (name, values) in enumerate(scores.items(), start=1):
        run = new_run(f"r{scale}")
        run.start(model=name, weights=name, scale=scale, widths={"0": 100, "20": 80})
        for level, (value, stderr) in zip(("0", "20"), values, strict=True):
            run.cell(level, "lambada_openai", metrics=[metric("perplexity", value, stderr=stderr)])
        merged(run)
    ratio = math.log(3.6e21 / 8 / 2)
    error = math.sqrt((0.2 / 10) ** 2 + (0.5 / 20) ** 2 + (0.1 / 8) ** 2 + (1 / 3.6) ** 2)
    ((difference, low, p, better_off),) = ask(
        "select difference, ci_low, p_value, better_off from size_tests "
        "where measure = 'percent' and basis = 'percentage'"
    )
    assert difference == pytest.approx(100 * (3.6e21 / 8 - 2))
    assert low == pytest.approx(100 * 2 * (math.exp(ratio - 1.959963984540054 * error) - 1))
    assert p == pytest.approx(2 * stats.norm.sf(ratio / error), abs=1e-12)
    assert better_off == "smaller"
    assert ask("select count(*) from size_tests where measure = 'points'") == [(0,)]


@pytest.mark.slow
def test_the_chosen_models_are_compared_as_among_all(two_sizes, new_run, merged, metric, ask):
    two_sizes({"0": 100, "20": 80})
    third = new_run("third")
    third.start(model="org/Third", weights="w3", scale=3, widths={"0": 100, "20": 80})
    for level, value in (("0", 0.9), ("20", 0.7)):
        third.cell(level, "piqa", metrics=[metric("acc", value, stderr=S)])
    merged(third)
    ((chosen,),) = ask("select list(distinct model_id) from models where model <> 'org/Third'")
    among_all = ask("from size_tests where larger <> 'org/Third' order by all")
    assert ask(f"from size_tests_of({chosen}) order by all") == among_all
    assert len(among_all) < len(ask("from size_tests"))
