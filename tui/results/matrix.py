"""The delta matrix as data: which cells there are, what stands in them, and in which order.

Rows come from `sql/queries/matrix_rows.sql`, which has the verdicts of the view `delta_statistics`: whether a change is
beyond noise, corrected for the number of benchmarks of its width (Holm), each width by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tui.format import change, value
from warehouse.records.level import width_label
from warehouse.records.names import short_name

View = Literal["value", "relative", "absolute", "significance"]
VIEWS: tuple[View, ...] = ("value", "relative", "absolute", "significance")
UNPRUNED = "unpruned"
_ALPHA = 0.05  # of a change that no table corrects for: a metric that is not its benchmark's headline

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A line of the matrix."""

    task: str
    metric: str
    filter: str
    num_fewshot: int | None
    version: str | None
    name: str
    kind: str

    @property
    def metric_name(self) -> str:
        return self.metric if self.filter == "none" else f"{self.metric}, {self.filter}"


@dataclass(frozen=True, slots=True)
class Width:
    """A column of the matrix: one width of one model under one method and conditions."""

    subject: str
    model: str
    method: str
    conditions: str | None
    level: str
    pruning_pct: float
    intermediate_size: int | None
    expansion_ratio: float | None
    parameters: int | None
    unpruned: bool

    @property
    def label(self) -> str:
        if self.unpruned:
            return UNPRUNED
        return width_label(self.level, self.pruning_pct)


@dataclass(frozen=True, slots=True)
class Matrix:
    benchmarks: tuple[Benchmark, ...]
    widths: tuple[Width, ...]
    cells: Mapping[tuple[Benchmark, Width], Row]

    def groups(self) -> list[tuple[Width, int]]:
        """Each model with its number of columns, from the left."""
        found: list[tuple[Width, int]] = []
        for width in self.widths:
            if found and found[-1][0].subject == width.subject:
                found[-1] = (found[-1][0], found[-1][1] + 1)
            else:
                found.append((width, 1))
        return found

    def searched(self, search: str) -> Matrix:
        """The benchmarks whose name, task or metric has this in it."""
        wanted = search.lower()
        fits = tuple(b for b in self.benchmarks if wanted in f"{b.name} {b.task} {b.metric}".lower())
        return Matrix(fits, self.widths, self.cells)

    def sorted_by(self, width: Width, *, losses_first: bool) -> Matrix:
        """The benchmarks by how much better each got at one width, relative to the unpruned model."""

        def key(benchmark: Benchmark) -> tuple[bool, float]:
            row = self.cells.get((benchmark, width))
            gain = None if row is None else gain_pct(row)
            return gain is None, (0 if gain is None else gain if losses_first else -gain)

        return Matrix(tuple(sorted(self.benchmarks, key=key)), self.widths, self.cells)


def build(rows: Iterable[Row]) -> Matrix:
    """The matrix of these rows: benchmarks in the rows' order, each model's widths from the unpruned one down."""
    benchmarks: dict[Benchmark, None] = {}
    widths: dict[Width, None] = {}
    cells: dict[tuple[Benchmark, Width], Row] = {}
    for row in rows:
        benchmark = Benchmark(
            row["task"], row["metric"], row["filter"], row["num_fewshot"], row["version"], row["benchmark"], row["kind"]
        )
        width = Width(
            row["subject"], row["model"], row["method"], row["conditions"], row["level"], row["pruning_pct"],
            row["intermediate_size"], row["expansion_ratio"], row["parameters"], row["unpruned"],
        )  # fmt: skip
        benchmarks.setdefault(benchmark)
        widths.setdefault(width)
        cells[benchmark, width] = row
    order: dict[str, int] = {}
    for width in sorted(widths, key=lambda w: (w.model, w.method, w.conditions or "")):
        order.setdefault(width.subject, len(order))
    in_order = sorted(
        widths, key=lambda w: (order[w.subject], not w.unpruned, w.pruning_pct, -(w.intermediate_size or 0))
    )
    return Matrix(tuple(benchmarks), tuple(in_order), cells)


# What a cell says


def gain_pct(row: Row) -> float | None:
    """How much better than the unpruned model, in percent of its score: negative for a loss."""
    pct = row["delta_pct"]
    if pct is None or math.isnan(pct) or row["improved"] is None:
        return None
    return abs(pct) if row["improved"] else -abs(pct)


def z_score(row: Row) -> float | None:
    """The change in its own standard errors, a perplexity's on the log scale; None where these are not known."""
    if row.get("log_stderr"):
        return math.log(row["factor"]) / row["log_stderr"]
    stderr, delta = row["delta_stderr"], row["delta"]
    if stderr is None or delta is None or math.isnan(stderr) or math.isnan(delta):
        return None
    if stderr == 0:
        return 0.0 if delta == 0 else None
    return delta / stderr


def beyond_noise(row: Row) -> bool | None:
    """Whether chance alone would hardly make such a change; None where nothing is known to test it with."""
    if row["verdict"] is not None:
        return row["verdict"] != "noise"
    return None if row["p_value"] is None else row["p_value"] <= _ALPHA


def mark(row: Row) -> str:
    """▲ better, ▼ worse, both beyond noise; △ ▽ the same, not tested; ≈ no change or one within noise."""
    delta = row["delta"]
    if delta is None or math.isnan(delta):
        return ""
    sure = beyond_noise(row)
    if delta == 0 or row["improved"] is None or sure is False:
        return "≈"
    return ("▲" if row["improved"] else "▼") if sure else ("△" if row["improved"] else "▽")


def cell_text(row: Row | None, view: View) -> str:
    """At most eight characters: a mark and a number. The unpruned width has a score in every view."""
    if row is None:
        return "–"
    if row["unpruned"]:
        return value(row["value"])
    sign = mark(row)
    match view:
        case "value":
            number = value(row["value"])
        case "relative":
            number = change(row["delta_pct"])
        case "absolute":
            number = "n/a" if row["delta"] is None else signed(row["delta"])
        case "significance":
            z = z_score(row)
            if z is None:
                return "untested"
            number = f"{z:+.1f}σ" if abs(z) < 99.95 else f"{z:+.0f}σ"
    return f"{sign}{number.rjust(7)}" if sign else number


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
    if any(one.method != width.method for one in among):
        name += f" · {width.method}"
    alike = [one for one in others if (one.model, one.method) == (width.model, width.method)]
    if alike and width.conditions:
        name += f" · {width.conditions}"
    if any(one.conditions == width.conditions for one in alike):
        name += f" · {model_id(width.subject)}"
    return name


def model_id(subject: str) -> str:
    """The id that tells a model from another of the same name."""
    return subject.partition("|")[0]
