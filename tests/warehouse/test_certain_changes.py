"""How sure a change is at the edges: shares of 0 and 1, perplexities, percentages, several levels at once."""

from __future__ import annotations

import math

import polars as pl
import pytest
from cases import one_in
from scipy import stats

Z = stats.norm.ppf(0.975)
CHANGE = (
    "select ci_low, ci_high, p_value, verdict, stderr_kind, stderr from delta_statistics where is_headline "
    "order by pruning_pct"
)


@pytest.fixture
def measure(new_run, merged, metric):
    """Merges a run with these metrics of one task, from the full width down."""

    def write(values, *, name="acc", task="piqa", stderr=None, **more) -> None:
        run = new_run("r1")
        levels = ("0", "20", "40")[: len(values)]
        run.start(widths={level: 100 - int(level) for level in levels})
        errors = stderr if isinstance(stderr, list) else [stderr] * len(values)
        for level, value, error in zip(levels, values, errors, strict=True):
            run.cell(level, task, metrics=[metric(name, value, stderr=error, **more)])
        merged(run)

    return write


@pytest.mark.parametrize("n", [None, 30], ids=["as many as the benchmark has", "30 questions"])
@pytest.mark.parametrize("stderr", [None, 0.0], ids=["no reported error", "reported as 0"])
@pytest.mark.parametrize(
    ("values", "verdict"), one_in(4, [((1.0, 0.0), "loss"), ((0.0, 1.0), "gain"), ((1.0, 0.2), "loss")])
)
def test_the_largest_possible_change_has_a_verdict(measure, ask, values, verdict, stderr, n):
    if n is None and stderr is not None:
        pytest.skip("a reported error of 0 says that it is a share only where it is known of how many")
    errors = [stderr if value in (0, 1) else None if stderr is None else math.sqrt(0.16 / 29) for value in values]
    measure(values, stderr=errors, n=n)
    ((low, high, p, found, kind, error),) = ask(CHANGE)
    assert (found, kind) == (verdict, "binomial")
    assert p < 0.001
    assert low > 0 or high < 0
    assert (low >= -1, high <= 1, error > 0) == (True, True, True)


@pytest.mark.parametrize(("values", "n"), [((0.5, 0.6), 30), ((0.0, 1.0), 2), ((1.0, 0.0), 2)])
def test_the_interval_of_two_shares_is_that_of_an_answer_more_of_each_kind(measure, ask, values, n):
    """On both sides, as by Agresti and Caffo; no two shares are more than one apart."""
    measure(values, n=n)
    ((low, high, *_),) = ask(CHANGE)
    then, now = ((share * n + 1) / (n + 2) for share in values)
    half = Z * math.sqrt((then * (1 - then) + now * (1 - now)) / (n + 1))
    assert low == pytest.approx(max(-1, now - then - half))
    assert high == pytest.approx(min(1, now - then + half))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_no_change_of_a_share_without_spread_is_noise_with_an_interval(measure, ask, value):
    measure((value, value), stderr=0.0, n=30)
    ((low, high, p, verdict, *_),) = ask(CHANGE)
    assert (p, verdict) == (pytest.approx(1), "noise")
    assert low == pytest.approx(-high)
    assert 0.02 < high < 0.2


@pytest.mark.parametrize(("task", "kind"), [("mmlu_law", "paired"), ("mmlu", "paired, clustered")])
def test_where_no_answer_flipped_the_error_is_as_wide_as_the_interval(new_run, merged, ask, task, kind):
    run = new_run("r1")
    run.start(widths={"0": 100, "20": 80})
    for level in ("0", "20"):
        for part in ("mmlu_law", "mmlu_logic"):
            samples = f"samples/{level}-{part}.parquet"
            pl.DataFrame(
                {"doc_id": range(20), "filter": "none", "metric": "acc", "value": [1.0, 0.0] * 10, "weight": None,
                 "response": None},
                schema={"doc_id": pl.Int32, "filter": pl.String, "metric": pl.String, "value": pl.Float64,
                        "weight": pl.Float64, "response": pl.String},
            ).write_parquet(run.folder / samples)  # fmt: skip
            run.cell(level, part, 0.5, part_of="mmlu", n=20, samples=samples)
        run.cell(level, "mmlu", 0.5, is_group=True, n=40)
    merged(run)
    ((low, high, found, error),) = ask(
        f"select ci_low, ci_high, stderr_kind, stderr from delta_statistics where task = '{task}'"
    )
    assert found == kind
    assert error == pytest.approx((high - low) / (2 * Z))
    assert 0.005 < error < 0.1


def test_a_reported_error_that_is_no_shares_own_is_taken_as_it_is(measure, ask):
    """TruthfulQA mc2: values between 0 and 1 vary less than right and wrong answers do."""
    measure((0.5, 0.4), stderr=[0.03, 0.03], n=100)
    ((low, _, p, _, kind, error),) = ask(CHANGE)
    assert (kind, error) == ("unpaired", pytest.approx(math.hypot(0.03, 0.03)))
    assert low == pytest.approx(-0.1 - Z * error)
    assert p == pytest.approx(2 * stats.norm.sf(0.1 / error))


def test_perplexities_are_compared_on_the_log_scale_without_documents_too(measure, ask):
    """LAMBADA as seen: 3.6e21, with an error larger than itself."""
    measure((10.0, 14.0, 3.6e21), name="perplexity", task="lambada_openai", stderr=[0.3, 0.5, 1.1e21])
    found = ask("select factor, factor_low, factor_high, log_stderr, p_value, ci_low, ci_low_pct, verdict "
                "from delta_statistics order by pruning_pct")  # fmt: skip
    for (factor, low, high, error, p, ci_low, ci_low_pct, verdict), (value, own) in zip(
        found, ((14.0, 0.5), (3.6e21, 1.1e21)), strict=True
    ):
        assert error == pytest.approx(math.hypot(0.03, own / value))
        assert (low, factor, high) == pytest.approx(
            tuple(value / 10 * math.exp(side * Z * error) for side in (-1, 0, 1))
        )
        assert p == pytest.approx(2 * stats.norm.sf(math.log(value / 10) / error), abs=1e-12)
        assert (ci_low, ci_low_pct) == pytest.approx((10 * (low - 1), 100 * (low - 1)))
        assert verdict == "loss"


def test_percent_of_the_baseline_has_the_baselines_own_error(measure, ask):
    """Fieller's interval: wider than the change's over the baseline, and clear of zero exactly where that is."""
    measure((0.10, 0.18), stderr=[0.02, 0.02], n=None, task="ifeval", name="prompt_level_strict_acc")
    ((low, high, low_pct, high_pct),) = ask("select ci_low, ci_high, ci_low_pct, ci_high_pct from delta_statistics")
    inner = 0.1**2 - Z**2 * 0.02**2
    middle, root = 0.1 * 0.18, math.sqrt((0.1 * 0.18) ** 2 - inner * (0.18**2 - Z**2 * 0.02**2))
    assert (low_pct, high_pct) == pytest.approx(
        (100 * ((middle - root) / inner - 1), 100 * ((middle + root) / inner - 1))
    )
    assert high_pct > 100 * high / 0.1
    assert (low > 0) == (low_pct > 0)


def test_percent_of_a_baseline_within_its_error_of_zero_has_no_interval(measure, ask):
    measure((0.02, 0.10), stderr=[0.02, 0.02], name="mcc", task="cola")
    assert ask("select ci_low_pct, ci_high_pct from delta_statistics") == [(None, None)]


def test_a_baseline_without_a_share_is_left_out_and_named(new_run, merged, metric, ask):
    odd = {
        "below zero": (-0.02, -0.08, 0.01),
        "zero": (0.0, 0.1, 0.01),
        "within its error of zero": (0.01, 0.05, 0.02),
        "infinite": (math.inf, 5.0, None),
    }
    for model, (baseline, value, stderr) in odd.items():
        run = new_run(model)
        run.start(widths={"0": 100, "20": 80}, model=model, weights=model)
        name = "perplexity" if baseline == math.inf else "mcc"
        for level, one, other in (("0", baseline, 0.5), ("20", value, 0.4)):
            run.cell(level, "piqa", metrics=[metric("acc", other, stderr=0.01)])
            run.cell(level, "cola", metrics=[metric(name, one, stderr=stderr)])
        merged(run)
    assert ask("select model, retained_pct, benchmarks, left_out from level_scores order by model") == [
        (model, pytest.approx(80), 1, "cola") for model in sorted(odd)
    ]
    best = ask("select model, score, why from best_levels where rule = 'keeps-most' order by model")
    assert [(model, score) for model, score, _ in best] == [(model, pytest.approx(80)) for model in sorted(odd)]
    assert all("Left out, as unpruned it has no share to keep: cola." in why for *_, why in best)


def test_the_first_drop_of_several_levels_is_corrected_over_the_table(new_run, merged, metric, ask):
    """One benchmark of thirteen is at p = 0.003 at one level: a loss of its level, not the first of six."""
    levels = {str(pct): 100 - pct for pct in range(0, 70, 10)}
    run = new_run("r1")
    run.start(widths=levels)
    for index in range(13):
        for level in levels:
            value = 0.5 - 0.0420 * (index == 0 and level == "20")
            run.cell(level, f"task{index}", metrics=[metric("f1", value, stderr=0.01)])
    merged(run)
    ((verdict, table_verdict, p, p_table),) = ask(
        "select verdict, table_verdict, p_value, p_table from delta_statistics "
        "where task = 'task0' and pruning_pct = 20"
    )
    assert (verdict, table_verdict) == ("loss", "noise")
    assert p_table == pytest.approx(78 * p)
    assert ask("select count(drops_at_pct), min(levels_tested) from benchmark_trends") == [(0, 6)]


def test_saved_clear_gains_are_those_of_the_verdicts(measure, ask):
    from tui.query.store import shipped

    measure((0.5, 0.7, 0.52), stderr=0.02)
    sql = next(one.sql for one in shipped() if one.name == "clear gains")
    assert [row[1] for row in ask(sql)] == [20.0]
