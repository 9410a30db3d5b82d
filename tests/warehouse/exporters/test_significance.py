"""What a Markdown table says of noise: a mark beside each change, and below it how that was judged."""

from __future__ import annotations

import math
from typing import Any

import pytest

from warehouse.exporters.significance import Shown, around_damage, footnotes, marks
from warehouse.read.grid import Benchmark, Cell, Entry, Results, Width, results

AT_40 = Width("id", "org/Tiny", "maw", None, "40", 40.0, 60, unpruned=False)
BOTH = Shown(significance=True, intervals=True)
STARS, INTERVALS = Shown(significance=True), Shown(intervals=True)
HOLM = (
    r"\*: change beyond noise, p ≤ 0.05 after Holm's correction over the headline benchmarks of its level (one level: "
    "over all levels together some of them may not hold). Tests: "
)
BRACKETS = (
    "In brackets: 95 % interval of the change, in percent of the unpruned model's score, whose own error is in it. "
    "Intervals are not corrected for the number of benchmarks, verdicts are: at the edge the two can differ."
)


def table(*cells: Cell) -> Results:
    """A benchmark for each, named a, b and so on."""
    benchmarks = [Benchmark(name, "acc", "none", 0, "1", name, "score") for name in "abcde"]
    entries = [Entry(benchmark, AT_40, cell) for benchmark, cell in zip(benchmarks, cells, strict=False)]
    return results(entries)


@pytest.mark.parametrize(
    ("show", "about", "mark"),
    [
        (BOTH, {"verdict": "gain"}, r"\* \[-2.5, +3.1\]"),
        (BOTH, {"verdict": "loss"}, r"\* \[-2.5, +3.1\]"),
        (BOTH, {"verdict": "noise"}, r" \[-2.5, +3.1\]"),
        (BOTH, {}, r" \[-2.5, +3.1\]"),
        (STARS, {"verdict": "gain"}, r"\*"),
        (INTERVALS, {"verdict": "gain"}, r" \[-2.5, +3.1\]"),
        (Shown(), {"verdict": "gain"}, ""),
        (BOTH, {"verdict": "gain", "ci_low_pct": None}, r"\*"),
        (BOTH, {"verdict": "gain", "ci_high_pct": None}, r"\*"),
        (BOTH, {"verdict": "gain", "ci_low_pct": -math.inf}, r"\*"),
        (BOTH, {"verdict": "gain", "ci_high_pct": math.inf}, r"\*"),
    ],
)
def test_a_change_has_a_star_and_an_interval(show: Shown, about: dict[str, Any], mark: str) -> None:
    given: dict[str, Any] = {"ci_low_pct": -2.5, "ci_high_pct": 3.14}
    assert marks(Cell(**given | about), show) == mark


def test_tests_are_named_once_with_the_benchmarks_that_they_were_used_for() -> None:
    cells = [
        Cell(delta=0.1, verdict="gain", p_kind="bootstrap"),
        Cell(delta=0.1, verdict="noise", p_kind="score, paired"),
        Cell(delta=0.1, verdict="loss", p_kind="bootstrap"),
        Cell(delta=0.1, verdict="loss", p_kind="a new one"),
    ]
    assert footnotes(table(*cells), STARS) == [
        f"{HOLM}a bootstrap of pairs of documents (a, c); a score test on the questions that one width answers rightly "
        "and the other does not (b); a new one (d)."
    ]


def test_what_was_not_tested_is_named_apart_from_what_is_due() -> None:
    """A number beside which there is no change is no matter of tests; a verdict without a test, or a test without a
    verdict, names no test.
    """
    cells = [
        Cell(delta=0.1, verdict="loss", p_kind=None),
        Cell(delta=0.1, verdict=None, p_kind="bootstrap"),
        Cell(delta=0.1, verdict=None, unpaired_because="not compared yet"),
        Cell(delta=None, verdict=None, p_kind=None),
        Cell(delta=0.1, verdict="noise", p_kind="bootstrap", unpaired_because="not compared yet"),
    ]
    due = "Not compared document by document yet, or not everywhere: {}. A merge does it.".format
    untested = "Not tested, or not everywhere, for want of a standard error or a correction: b."
    assert footnotes(table(*cells[:4]), STARS) == [due("c"), untested]
    assert footnotes(table(*cells), BOTH) == [f"{HOLM}a bootstrap of pairs of documents (e).", due("c, e"), untested]
    assert footnotes(table(*cells), INTERVALS) == []


def test_brackets_are_explained_where_there_are_some() -> None:
    with_interval = Cell(delta=0.1, verdict="noise", p_kind=None, ci_low_pct=-1.0, ci_high_pct=1.0)
    assert footnotes(table(Cell(delta=0.1), with_interval), INTERVALS) == [BRACKETS]
    assert footnotes(table(with_interval), STARS) == []
    assert footnotes(table(Cell(delta=None, ci_low_pct=1.0)), INTERVALS) == []


@pytest.mark.parametrize(
    ("show", "stderr", "written"),
    [
        (BOTH, 0.1, r" \[0.2040, 0.5960\]"),
        (INTERVALS, 0.4, r" \[0.0000, 1.1840\]"),  # a distance is none below zero
        (STARS, 0.1, ""),
        (BOTH, None, ""),
        (BOTH, math.nan, ""),
    ],
)
def test_a_damage_has_an_interval_of_its_own(show: Shown, stderr: float | None, written: str) -> None:
    assert around_damage(Cell(value=0.4, stderr=stderr, delta=0.4), show) == written


def test_a_table_with_damage_says_what_its_interval_is_of() -> None:
    damage = Benchmark("damage", "kl_divergence", "none", 0, "1", "damage", "damage")
    told = results([Entry(damage, AT_40, Cell(value=0.4, stderr=0.1))])
    [note] = footnotes(told, INTERVALS)
    assert note.startswith("In brackets beside damage")
    assert footnotes(told, Shown()) == []
