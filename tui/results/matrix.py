"""The delta matrix: what its cells say, and what is shown of it in which order.

Its cells come from `sql/queries/matrix/matrix_rows.sql`, which has the verdicts of the view `delta_statistics`: whether
a change is beyond noise, corrected for the number of benchmarks of its width (Holm), each width by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Literal, Protocol

from tui.format import change, value
from warehouse.read.grid import UNPRUNED, Benchmark, Cell, Results, TestedChange, Width
from warehouse.records.names import short_name
from warehouse.stats.metrics.damage import METRICS as DAMAGE

View = Literal["value", "relative", "absolute", "significance"]
VIEWS: tuple[View, ...] = ("value", "relative", "absolute", "significance")
CHANCE = "○"
"""The mark of a score that is not clear of what guessing scores."""
_Z95 = NormalDist().inv_cdf(0.975)
_ALPHA = 0.05  # of a change that no table corrects for: a metric that is not its benchmark's headline


Matrix = Results
"""A grid of what was measured: benchmarks down, the widths of each model across."""


def groups(matrix: Matrix) -> list[tuple[Width, int]]:
    """Each model with its number of columns, from the left."""
    found: list[tuple[Width, int]] = []
    for width in matrix.columns:
        if found and found[-1][0].subject == width.subject:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((width, 1))
    return found


def searched(matrix: Matrix, search: str) -> Matrix:
    """The benchmarks whose name, task or metric has this in it."""
    wanted = search.lower()
    fits = tuple(one for one in matrix.rows if wanted in f"{one.name} {one.task} {one.metric}".lower())
    return replace(matrix, rows=fits)


def sorted_by(matrix: Matrix, width: Width, *, losses_first: bool) -> Matrix:
    """The benchmarks by how much better each got at one width, relative to the unpruned model."""

    def key(benchmark: Benchmark) -> tuple[bool, float]:
        cell = matrix.at(benchmark, width)
        gain = None if cell is None else gain_pct(cell)
        return gain is None, (0 if gain is None else gain if losses_first else -gain)

    return replace(matrix, rows=tuple(sorted(matrix.rows, key=key)))


# What a cell says


class _Relative(Protocol):
    @property
    def delta_pct(self) -> float | None: ...

    @property
    def improved(self) -> bool | None: ...


def gain_pct(change: _Relative) -> float | None:
    """How much better than the unpruned model, in percent of its score: negative for a loss."""
    pct = change.delta_pct
    if pct is None or math.isnan(pct) or change.improved is None:
        return None
    return abs(pct) if change.improved else -abs(pct)


def z_score(cell: Cell) -> float | None:
    """The change in its own standard errors, a perplexity's on the log scale; None where these are not known."""
    if cell.log_stderr and cell.factor is not None:
        return math.log(cell.factor) / cell.log_stderr
    stderr, delta = cell.delta_stderr, cell.delta
    if stderr is None or delta is None or math.isnan(stderr) or math.isnan(delta):
        return None
    if stderr == 0:
        return 0.0 if delta == 0 else None
    return delta / stderr


def beyond_noise(change: TestedChange) -> bool | None:
    """Whether chance alone would hardly make such a change; None where nothing is known to test it with."""
    if change.verdict is not None:
        return change.verdict != "noise"
    return None if change.p_value is None else change.p_value <= _ALPHA


class _Guessed(Protocol):
    @property
    def value(self) -> float | None: ...

    @property
    def stderr(self) -> float | None: ...

    @property
    def chance(self) -> float | None: ...


def at_chance(cell: _Guessed | None) -> bool:
    """Whether guessing scores as much: the score is not clear of chance, by the rule that `delta_statistics` has for
    the unpruned model's (a 95 % interval of its standard error; without one, the score itself).
    """
    if cell is None or cell.chance is None or cell.value is None:
        return False
    return not cell.value - cell.chance > _Z95 * (cell.stderr or 0.0)


def mark(change: TestedChange) -> str:
    """▲ better, ▼ worse, both beyond noise; △ ▽ the same, not tested; ≈ no change or one within noise."""
    if change.delta is None or math.isnan(change.delta):
        return ""
    sure = beyond_noise(change)
    if change.delta == 0 or change.improved is None or sure is False:
        return "≈"
    return ("▲" if change.improved else "▼") if sure else ("△" if change.improved else "▽")


def cell_text(cell: Cell | None, view: View, *, unpruned: bool = False) -> str:
    """At most eight characters: a mark, another one at chance, and a number. Unpruned it is the score in every view."""
    if cell is None or cell.value is None:
        return "–"
    chance = CHANCE if at_chance(cell) else ""
    if unpruned:
        return f"{chance}{value(cell.value).rjust(7 if chance else 0)}"
    sign = mark(cell)
    match view:
        case "value":
            number = value(cell.value)
        case "relative":
            number = change(cell.delta_pct) if cell.delta is None or not _is_distance(cell) else signed(cell.delta)
        case "absolute":
            number = "n/a" if cell.delta is None else f"{cell.delta:+.3f}" if chance else signed(cell.delta)
        case "significance":
            z = z_score(cell)
            if z is None:
                return "untested"
            number = f"{z:+.1f}σ" if abs(z) < 99.95 else f"{z:+.0f}σ"
    sign += chance
    return f"{sign}{number.rjust(8 - len(sign))}" if sign else number


def _is_distance(cell: Cell) -> bool:
    """From zero, where nothing was removed: no percentage can be taken of that."""
    return cell.metric in {metric.name for metric in DAMAGE} and cell.baseline == 0


def signed(delta: float) -> str:
    text = value(abs(delta), width=6)
    return text if math.isnan(delta) else ("-" if delta < 0 else "+") + text


def at(width: Width) -> str:
    """Where a score stands, in a sentence."""
    return UNPRUNED if width.unpruned else f"at {width.label}"


def subject_name(width: Width, among: Sequence[Width]) -> str:
    """The model's short name, and what tells it from the others in sight."""
    name = short_name(width.model)
    others = [one for one in among if one.subject != width.subject]
    if any(one.pruned_with != width.pruned_with for one in among):
        name += f" · {width.pruned_with}"
    alike = [one for one in others if (one.model, one.pruned_with) == (width.model, width.pruned_with)]
    if alike and width.conditions:
        name += f" · {width.conditions}"
    if any(one.conditions == width.conditions for one in alike):
        name += f" · {width.model_id}"
    return name
