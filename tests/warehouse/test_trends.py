"""benchmark_trends against SciPy and statsmodels: widths are 100 to 40 neurons, 0 to 60 %."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

WIDTHS = {"0": 100, "20": 80, "40": 60, "60": 40}
X = np.array([0, 2, 4, 6])
PRUNED = [20.0, 40.0, 60.0]


@pytest.fixture
def measure(new_run, merged, metric):
    """Merge one run with these values of one task, from the full width down."""

    def run_them(values, stderrs=None, *, name="acc", task="piqa") -> None:
        run = new_run("r1")
        run.start(widths=WIDTHS)
        for level, value, stderr in zip(WIDTHS, values, stderrs or [None] * 4, strict=True):
            run.cell(level, task, metrics=[metric(name, value, stderr=stderr)])
        merged(run)

    return run_them


@pytest.mark.parametrize(
    "values", [(0.50, 0.47, 0.44, 0.41), (0.50, 0.30, 0.55, 0.20)], ids=["on a line", "far off the line"]
)
def test_the_slope_is_weighted_where_all_errors_are_known(measure, ask, values):
    stderrs = [0.01, 0.02, 0.01, 0.03]
    measure(values, stderrs)
    weights: Any = 1 / np.array(stderrs) ** 2
    fit = sm.WLS(values, sm.add_constant(X), weights=weights).fit()
    # Not less than the values' own errors imply: statsmodels' own scale is that of the residuals.
    stderr = fit.bse[1] / np.sqrt(fit.scale) * np.sqrt(max(1.0, fit.scale))
    assert ask("select slope_per_10pct, slope_stderr, weighted from benchmark_trends") == [
        (pytest.approx(fit.params[1]), pytest.approx(stderr), True)
    ]


def test_without_errors_the_residuals_tell_the_slopes(measure, ask):
    values = (0.50, 0.45, 0.47, 0.30)
    measure(values)
    fit: Any = stats.linregress(X, values)
    assert ask("select slope_per_10pct, slope_stderr, weighted, trend_beyond_noise from benchmark_trends") == [
        (pytest.approx(fit.slope), pytest.approx(fit.stderr), False, None)
    ]


def test_perplexity_growth_is_fitted_on_a_log_scale(measure, ask):
    values = (11.57, 25.05, 56.33, 322.95)
    measure(values, name="word_perplexity", task="wikitext")
    fit: Any = stats.linregress(X, np.log(values))
    assert ask("select growth_per_10pct, log_growth_stderr, growth_r2, trend from benchmark_trends") == [
        (pytest.approx(np.exp(fit.slope)), pytest.approx(fit.stderr), pytest.approx(fit.rvalue**2), "worsens")
    ]


@pytest.fixture
def tasks_of(new_run, merged, metric):
    """Merge one run with a task for each row of values, all with this error."""

    def run_them(rows, stderr=None) -> None:
        run = new_run("r1")
        run.start(widths=WIDTHS)
        for at, values in enumerate(rows):
            for level, value in zip(WIDTHS, values, strict=True):
                run.cell(level, f"task{at}", metrics=[metric("acc", value, stderr=stderr)])
        merged(run)

    return run_them


def test_a_trend_is_monotonic_where_no_step_goes_back(tasks_of, ask):
    trends = {
        (0.5, 0.4, 0.4, 0.3): ("worsens", True),
        (0.5, 0.5, 0.6, 0.7): ("improves", True),
        (0.5, 0.4, 0.6, 0.3): ("mixed", False),
        (0.5, 0.5, 0.5, 0.5): ("constant", True),
    }
    tasks_of(trends)
    assert ask("select trend, monotonic from benchmark_trends order by benchmark") == list(trends.values())


def test_beyond_noise_only_pairs_that_differ_clearly_count(tasks_of, ask):
    trends = {
        (0.5, 0.41, 0.42, 0.30): ("mixed", "worsens"),
        (0.5, 0.51, 0.49, 0.52): ("mixed", "noise"),
        (0.5, 0.30, 0.50, 0.30): ("mixed", "mixed"),
        (0.3, 0.29, 0.40, 0.50): ("mixed", "improves"),
    }
    tasks_of(trends, 0.02)
    assert ask("select trend, trend_beyond_noise from benchmark_trends order by benchmark") == list(trends.values())


def test_the_first_clear_drop_is_where_the_verdict_is_a_loss(measure, ask):
    measure((0.5, 0.48, 0.40, 0.41), [0.02] * 4)
    p = [2 * stats.norm.sf(abs(v - 0.5) / (0.02 * 2**0.5)) for v in (0.48, 0.40, 0.41)]
    expected = next(pct for pct, one in zip(PRUNED, p, strict=True) if one <= 0.05)
    assert ask("select drops_at_pct, gains_at_pct, levels_tested from benchmark_trends") == [(expected, None, 3)]


def test_a_perplexity_of_zero_is_compared_without_its_logarithm(measure, ask):
    measure((10.0, 0.0, 20.0, 30.0), [0.1] * 4, name="word_perplexity", task="wikitext")
    assert ask("select trend, trend_beyond_noise from benchmark_trends") == [("mixed", "mixed")]
