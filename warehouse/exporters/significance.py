"""How a Markdown table says which changes are beyond noise, and how that was judged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

from warehouse.exporters.markdown import escape
from warehouse.numbers import format_value
from warehouse.read.grid import Cell, Results

_TESTS = {
    "score, paired": "a score test on the questions that one width answers rightly and the other does not",
    "score, clustered": "the same and a z test on the group's tasks taken as clusters, both of which must reject",
    "z, clustered": "a z test on the same questions' differences, the group's tasks taken as clusters",
    "z, paired": "a z test on the same documents' differences",
    "bootstrap": "a bootstrap of pairs of documents",
    "z, unpaired": "a z test on the two reported standard errors, as if the questions were different ones",
    "z, independent": "a z test on the two standard errors, as if the questions were different ones",
    "z, binomial": "a z test on two shares of questions, from their number, as if the questions were different ones",
}
_Z95 = NormalDist().inv_cdf(0.975)
_DUE = "not compared yet"  # delta_statistics' word for what a later merge compares


@dataclass(frozen=True, slots=True)
class Shown:
    """What a table tells beside each change."""

    significance: bool = False
    intervals: bool = False


def marks(cell: Cell, show: Shown) -> str:
    """What follows a change: a star if it is beyond noise, and its interval in percent of the baseline."""
    star = r"\*" if show.significance and cell.verdict in ("gain", "loss") else ""
    low, high = cell.ci_low_pct, cell.ci_high_pct
    if not show.intervals or low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return star
    return rf"{star} \[{low:+.1f}, {high:+.1f}\]"


def around_damage(cell: Cell, show: Shown) -> str:
    """The 95 % interval of a damage, which is a change itself and has no other."""
    if not show.intervals or cell.value is None or cell.stderr is None or not math.isfinite(cell.stderr):
        return ""
    low, high = (format_value(max(0.0, cell.value + side * _Z95 * cell.stderr), "damage") for side in (-1, 1))
    return rf" \[{low}, {high}\]"


def tests_in_words(by_test: Mapping[str, Iterable[str]]) -> str:
    """Tests by their `p_kind`, each with the benchmarks that it was used for."""
    return "; ".join(
        f"{_TESTS.get(test, test)} ({', '.join(escape(name) for name in names)})" for test, names in by_test.items()
    )


def footnotes(grid: Results, show: Shown) -> list[str]:
    """A paragraph for each thing that the table tells, with the benchmarks that each test was used for."""
    notes = []
    changed = {place: cell for place, cell in grid.cells.items() if cell.delta is not None}
    if show.significance:
        by_test: dict[str, dict[str, None]] = {}
        for (benchmark, _), cell in changed.items():
            if cell.verdict is not None and cell.p_kind is not None:
                by_test.setdefault(cell.p_kind, {})[benchmark.name] = None
        due = dict.fromkeys(benchmark.name for (benchmark, _), cell in changed.items() if cell.unpaired_because == _DUE)
        untested = dict.fromkeys(
            benchmark.name
            for (benchmark, _), cell in changed.items()
            if cell.verdict is None and cell.unpaired_because != _DUE and benchmark.kind != "damage"  # it is no change
        )
        if by_test:
            notes.append(
                r"\*: change beyond noise, p ≤ 0.05 after Holm's correction over the headline benchmarks of its level "
                "(one level: over all levels together some of them may not hold). "
                f"Tests: {tests_in_words(by_test)}."
            )
        if due:
            names = ", ".join(escape(name) for name in due)
            notes.append(f"Not compared document by document yet, or not everywhere: {names}. A merge does it.")
        if untested:
            names = ", ".join(escape(name) for name in untested)
            notes.append(f"Not tested, or not everywhere, for want of a standard error or a correction: {names}.")
    if show.intervals and any(cell.ci_low_pct is not None for cell in changed.values()):
        notes.append(
            "In brackets: 95 % interval of the change, in percent of the unpruned model's score, whose own error is "
            "in it. Intervals are not corrected for the number of benchmarks, verdicts are: at the edge the two can "
            "differ."
        )
    if show.intervals and any(row.kind == "damage" for row in grid.rows):
        notes.append("In brackets beside damage: its 95 % interval, by the spread over the sequences of held-out text.")
    return notes
