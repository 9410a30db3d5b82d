"""What the intervals and verdicts of 0/1 scores promise, and what they keep, before (Wald's interval) and now.

python benchmarks/intervals.py

Coverage is exact, not simulated: over every possible outcome of n questions, for every (n, gained, lost) of a grid,
where gained / n and lost / n are the true shares of questions that change either way. The family-wise error is
simulated: tables of 13 benchmarks at 6 levels in which nothing changed. docs/statistics.md has what it printed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.exporters.markdown import table_lines
from warehouse.stats.hypothesis_tests import holm, mcnemar
from warehouse.stats.paired_shares import Z95, distance, interval

SIZES = (*range(10, 31), 40, 50, 60, 80, 100, 150, 200)
EVERY = 8000  # points of the grid of one size: beyond, every second, third … of gained and lost
UNPAIRED = (*range(10, 31), 40, 60)
TABLES, BENCHMARKS, LEVELS = 4000, 13, 6

Values = NDArray[np.float64]
Covered = Callable[[Values, Values, int, float], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Over the grid of one size: the least, where, and the mean."""

    least: float
    gained: int
    lost: int
    mean: float


def wald(gained: Values, lost: Values, n: int, truth: float) -> NDArray[np.bool_]:
    """Whether the mean difference ± 1.96 of its standard errors, divided by n - 1, holds the truth."""
    mean = (gained - lost) / n
    stderr = np.sqrt(np.maximum((gained + lost) / n - mean**2, 0) / (n - 1))
    return np.abs(mean - truth) <= Z95 * stderr + 1e-9


def score(gained: Values, lost: Values, n: int, truth: float) -> NDArray[np.bool_]:
    """Whether the test does not reject the truth: then the interval, which inverts it, holds it."""
    return distance(gained, lost, np.full(len(gained), float(n)), np.full(len(gained), truth)) <= Z95**2 + 1e-9


def coverage(n: int, covered: Covered) -> Coverage:
    """Of all (gained, lost) with gained + lost at most n."""
    gained, lost = (
        one[np.add.outer(range(n + 1), range(n + 1)) <= n].astype(float) for one in np.indices((n + 1, n + 1))
    )
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])  # of factorials
    ways = logs[n] - logs[gained.astype(int)] - logs[lost.astype(int)] - logs[(n - gained - lost).astype(int)]
    step = 1
    while (n // step + 1) * (n // step + 2) / 2 > EVERY:
        step += 1
    found = []
    for up in range(0, n + 1, step):
        for down in range(0, n - up + 1, step):
            chance = np.exp(
                ways
                + sum(_powers(k, p / n) for k, p in ((gained, up), (lost, down), (n - gained - lost, n - up - down)))
            )
            likely = chance > 1e-12
            held = covered(gained[likely], lost[likely], n, (up - down) / n)
            found.append((float(chance[likely][held].sum()), up, down))
    least = min(found)
    return Coverage(*least, mean=float(np.mean([one[0] for one in found])))


def _powers(times: Values, p: float) -> Values:
    """times · ln p, 0 for no times."""
    return np.where(times > 0, times * np.log(p) if p > 0 else -np.inf, 0.0)


def unpaired_coverage(n: int, more: bool) -> tuple[float, float]:
    """Least and mean coverage of the difference of two shares of n questions each, other questions each time.

    `more`: with one right and one wrong answer added to each, as the view `delta_statistics` has it; else Wald's.
    """
    seen = np.arange(n + 1) / n
    shares, per = ((seen * n + 1) / (n + 2), n + 1) if more else (seen, n)
    errors = np.sqrt(np.add.outer(shares * (1 - shares) / per, shares * (1 - shares) / per))
    middle = np.subtract.outer(shares, shares)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    right = np.arange(n + 1)
    ways = logs[n] - logs[right] - logs[n - right]
    chances = [
        np.exp(ways + _powers(right.astype(float), k / n) + _powers((n - right).astype(float), 1 - k / n))
        for k in range(n + 1)
    ]
    found = [
        float(np.outer(chances[a], chances[b])[np.abs(middle - (a - b) / n) <= Z95 * errors + 1e-9].sum())
        for a in range(n + 1)
        for b in range(n + 1)
    ]
    return min(found), float(np.mean(found))


def family_wise(questions: int, changing: float, *, seed: int = 0) -> dict[str, float]:
    """Shares of tables in which some cell is called gain or loss, though as many questions are gained as lost.

    `changing` is the share of questions that change. By exact McNemar, as before, and by the score test, each corrected
    by Holm over the benchmarks of a level, or over the table.
    """
    rng = np.random.default_rng(seed)
    shape = (TABLES, LEVELS, BENCHMARKS)
    changed = rng.binomial(questions, changing, shape)
    gained = rng.binomial(changed, 0.5)
    lost = changed - gained
    pairs, place = np.unique(np.stack([gained.ravel(), lost.ravel()]), axis=1, return_inverse=True)
    score_p = interval(pairs[0], pairs[1], questions).p_value[place].reshape(shape)
    exact = np.array([mcnemar(int(up), int(down)) for up, down in pairs.T])[place].reshape(shape)
    return {
        "exact, by level": np.mean([any(min(holm(row.tolist())) <= 0.05 for row in table) for table in exact]).item(),
        "score, by level": np.mean([any(min(holm(row.tolist())) <= 0.05 for row in table) for table in score_p]).item(),
        "exact, whole table": np.mean([min(holm(table.ravel().tolist())) <= 0.05 for table in exact]).item(),
        "score, whole table": np.mean([min(holm(table.ravel().tolist())) <= 0.05 for table in score_p]).item(),
    }


def main() -> None:
    """Print the tables of docs/statistics.md."""
    print("A change that loses 5 % of the questions and gains none:\n")
    rows = []
    for n in (10, 20, 30, 60, 100, 200, 500):
        gained, lost = np.zeros(n + 1), np.arange(n + 1.0)
        logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
        chance = np.exp(logs[n] - logs - logs[::-1] + _powers(lost, 0.05) + _powers(n - lost, 0.95))
        told = [_pct(chance[test(gained, lost, n, -0.05)].sum()) for test in (wald, score)]
        apart = [0.0, 0.0]
        for k in range(n + 1):
            mean, stderr = -k / n, np.sqrt(max(k / n - (k / n) ** 2, 0) / (n - 1))
            apart[0] += chance[k] * ((mean + Z95 * stderr < 0) != (mcnemar(0, k) <= 0.05))
            found = interval(0, k, n)
            apart[1] += chance[k] * ((found.high < 0) != (found.p_value <= 0.05))
        rows.append([str(n), *told, *(_pct(one) for one in apart)])
    head = ["n", "Wald covers", "now", "Wald and exact McNemar disagree", "now"]
    print(table_lines(head, rows, right=range(5)))
    print("\nCoverage over the grid:\n")
    rows = []
    for n in SIZES:
        before, now = coverage(n, wald), coverage(n, score)
        rows.append(
            [
                str(n),
                _pct(before.least),
                _pct(before.mean),
                _pct(now.least),
                f"{now.gained}, {now.lost}",
                _pct(now.mean),
            ]
        )
    print(table_lines(["n", "Wald, least", "mean", "now, least", "at gained, lost", "mean"], rows, right=range(6)))
    print("\nTwo shares of different questions:\n")
    rows = [[str(n), *(_pct(one) for more in (False, True) for one in unpaired_coverage(n, more))] for n in UNPAIRED]
    print(table_lines(["n", "Wald, least", "mean", "now, least", "mean"], rows, right=range(5)))
    print(
        f"\nTables of {BENCHMARKS} benchmarks at {LEVELS} levels in which nothing changed, "
        "with a gain or loss somewhere:\n"
    )
    rows = []
    for questions, changing in ((30, 0.2), (100, 0.1), (100, 0.3), (1000, 0.05), (1000, 0.3)):
        found = family_wise(questions, changing)
        rows.append([str(questions), f"{100 * changing:g} %", *(_pct(one) for one in found.values())])
    print(table_lines(["questions", "changing", *found], rows, right=range(6)))


def _pct(share: float) -> str:
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
