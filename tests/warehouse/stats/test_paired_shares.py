"""The interval and the p value of right-or-wrong scores, which are one test."""

from __future__ import annotations

import importlib.util
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar

from warehouse.stats.hypothesis_tests import mcnemar as exact_mcnemar
from warehouse.stats.paired_shares import Z95, interval

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "intervals.py"


@pytest.fixture(scope="module")
def simulation() -> Any:
    """benchmarks/intervals.py, whose tables stand in docs/statistics.md."""
    spec = importlib.util.spec_from_file_location("intervals", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def outcomes(n: int) -> list[tuple[int, int]]:
    return [(gained, lost) for gained, lost in product(range(n + 1), repeat=2) if gained + lost <= n]


def by_search(gained: int, lost: int, n: int, difference: float) -> float:
    """The smaller of the two statistics, at the lost share that SciPy finds likeliest under the difference."""

    def surprise(share: float) -> float:
        chances = np.array([share + difference, share, 1 - 2 * share - difference])
        counts = np.array([gained, lost, n - gained - lost])
        return -float(np.sum(np.where(counts > 0, counts * np.log(np.maximum(chances, 1e-300)), 0)))

    bounds = (max(0.0, -difference), (1 - difference) / 2)
    found: Any = optimize.minimize_scalar(surprise, bounds=bounds, method="bounded", options={"xatol": 1e-12})
    counts = np.array([gained, lost, n - gained - lost])
    freest = -float(np.sum(np.where(counts > 0, counts * np.log(np.maximum(counts, 1) / n), 0)))
    spread = n * (2 * found.x + difference * (1 - difference))
    return min((gained - lost - n * difference) ** 2 / spread, 2 * (found.fun - freest))


@pytest.mark.parametrize(("gained", "lost", "n"), [(2, 9, 40), (0, 3, 12), (7, 7, 30), (1, 5, 1319), (120, 300, 14042)])
def test_both_ends_are_where_the_test_just_rejects(gained, lost, n):
    found = interval(gained, lost, n)
    for end in (float(found.low), float(found.high)):
        assert by_search(gained, lost, n, end) == pytest.approx(Z95**2, rel=1e-4)


@pytest.mark.parametrize("n", [10, 16, 30])
def test_p_is_below_5_percent_exactly_where_the_interval_excludes_zero(n):
    gained, lost = zip(*outcomes(n), strict=True)
    found = interval(gained, lost, n)
    np.testing.assert_array_equal(found.p_value < 0.05, (found.low > 0) | (found.high < 0))
    seen = (np.array(gained) - np.array(lost)) / n
    assert np.all((found.low <= seen) & (seen <= found.high))


@pytest.mark.parametrize(("gained", "lost"), [(2, 9), (40, 70), (900, 1100), (3, 3)])
def test_at_no_difference_it_is_mcnemars_test(gained, lost):
    reference: Any = mcnemar([[0, lost], [gained, 0]], exact=False, correction=False)
    assert float(interval(gained, lost, 5000).p_value) == pytest.approx(reference.pvalue, rel=1e-9)


def test_an_unchanged_set_of_answers_has_an_interval_with_a_width():
    found = interval(0, 0, 30)
    assert float(found.p_value) == 1
    assert float(found.low) == pytest.approx(-float(found.high))
    assert float(found.high) > 0.05


def test_the_largest_possible_loss_is_one():
    found = interval(0, 10, 10)
    assert float(found.p_value) < 0.01
    assert (float(found.low), float(found.high) < -0.4) == (-1, True)


@pytest.mark.parametrize("n", [10, 12, 16, 26])
def test_coverage_is_92_percent_everywhere_and_95_on_average(simulation, n):
    found = simulation.coverage(n, simulation.score)
    assert found.least >= 0.92
    assert found.mean >= 0.95
    assert simulation.coverage(n, simulation.wald).least < 0.7  # what it takes the place of


@pytest.mark.parametrize("n", [10, 13])
def test_coverage_of_two_shares_of_different_questions(simulation, n):
    least, mean = simulation.unpaired_coverage(n, more=True)
    assert (least >= 0.92, mean >= 0.95) == (True, True)


@pytest.mark.parametrize("counts", [(0, 0), (0, 3), (5, 5), (2, 10), (1600, 1500), (3000, 2600), (70_000, 69_000)])
def test_mcnemars_exact_test_is_exact_for_any_count(counts):
    expected = stats.binomtest(counts[0], sum(counts)).pvalue if sum(counts) else 1.0
    assert exact_mcnemar(*counts) == pytest.approx(expected, rel=1e-7)


def test_whole_tables_in_which_nothing_changed_are_left_alone(simulation):
    """By level some cell of a fifth of the tables is called gain or loss: what counts over levels takes the table."""
    simulation.TABLES = 400
    found = simulation.family_wise(1000, 0.3)
    assert found["score, by level"] > 0.1
    assert found["score, whole table"] < 0.08
