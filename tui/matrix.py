"""The delta matrix as data: which cells there are, what stands in them, and in which order.

Rows come from `sql/queries/matrix_rows.sql`. A change smaller than 1.96 of its standard errors is within noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tui.format import change, glyph, value
from warehouse.markdown import escape, table_lines

View = Literal["value", "relative", "absolute", "significance"]
VIEWS: tuple[View, ...] = ("value", "relative", "absolute", "significance")
NOISE = 1.96  # standard errors: 95 % of the changes that chance alone makes are smaller

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
            return "full"
        return f"{self.pruning_pct:g}%" if self.level == f"{self.pruning_pct:g}" else self.level


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
    """The matrix of these rows: benchmarks in the rows' order, each model's widths from the full one down."""
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
    """The change in its own standard errors; None where these are not known."""
    stderr, delta = row["delta_stderr"], row["delta"]
    if stderr is None or delta is None or math.isnan(stderr) or math.isnan(delta) or stderr == 0:
        return None
    return delta / stderr


def within_noise(row: Row) -> bool:
    z = z_score(row)
    return z is not None and abs(z) < NOISE


def mark(row: Row) -> str:
    """▲ better, ▼ worse, ≈ no change or one within noise."""
    noise = None if z_score(row) is None else NOISE * row["delta_stderr"]
    return glyph(row["improved"], row["delta"], noise=noise)


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
            number = "no se" if z is None else f"{z:+.1f}σ" if abs(z) < 99.95 else f"{z:+.0f}σ"
    return f"{sign}{number.rjust(7)}" if sign else number


def signed(delta: float) -> str:
    text = value(abs(delta), width=6)
    return text if math.isnan(delta) else ("-" if delta < 0 else "+") + text


def sentence(benchmark: Benchmark, width: Width, row: Row | None) -> str:
    """A cell in words, with its uncertainty."""
    if row is None:
        return "not measured"
    score = value(row["value"]) + (f" ± {value(row['stderr'])}" if row["stderr"] is not None else "")
    if width.unpruned:
        return f"{benchmark.metric_name} {score}"
    if row["delta"] is None:
        return f"{benchmark.metric_name} {score}; the unpruned model was not measured under these conditions"
    if math.isnan(row["delta"]):
        return f"{benchmark.metric_name} {score} against {value(row['baseline'])}: no change can be told"
    word = "no change" if row["delta"] == 0 else "better" if row["improved"] else "worse"
    told = f"{benchmark.metric_name} {score} against {value(row['baseline'])}: {signed(row['delta'])}"
    told += f" ({change(row['delta_pct'])})"
    z = z_score(row)
    if z is None:
        return f"{told}, {word}; standard error not known"
    told += f" ± {value(row['delta_stderr'])}"
    if within_noise(row):
        return f"{told}, within noise ({abs(z):.1f} of the 1.96 standard errors it takes)"
    return f"{told}, clearly {word} ({abs(z):.1f} standard errors)"


def at(width: Width) -> str:
    """Where a score stands, in a sentence."""
    return "unpruned" if width.unpruned else f"at {width.label}"


def short_name(model: str) -> str:
    """The part of a model's name after the slash."""
    return model.rstrip("/").rsplit("/", 1)[-1]


def subject_name(width: Width, among: Sequence[Width]) -> str:
    """The model's short name, and what tells it from the others in sight."""
    name = short_name(width.model)
    others = [one for one in among if one.subject != width.subject]
    if any(one.method != width.method for one in among):
        name += f" · {width.method}"
    if any(one.model == width.model and one.method == width.method for one in others) and width.conditions:
        name += f" · {width.conditions}"
    return name


def markdown(matrix: Matrix, view: View) -> str:
    """The matrix for a paper or an issue: a table for each model, benchmarks down, widths across."""
    parts: list[str] = []
    start = 0
    for first, count in matrix.groups():
        widths = matrix.widths[start : start + count]
        start += count
        header = ["Benchmark", "Metric", *(escape(width.label) for width in widths)]
        rows = [
            [
                escape(benchmark.name),
                escape(benchmark.metric_name),
                *(_markdown_cell(matrix.cells.get((benchmark, width)), view) for width in widths),
            ]
            for benchmark in matrix.benchmarks
        ]
        parts.append(f"### {escape(first.model)}, pruned with {escape(first.method.upper())}")
        parts.append(table_lines(header, rows, right=range(2, len(header))))
        parts.append(f"Conditions: {escape(first.conditions or 'not known')}.")
    shown = {"value": "scores", "relative": "change in percent of the full model's score",
             "absolute": "change of the score", "significance": "change in its standard errors"}[view]  # fmt: skip
    parts.append(
        f"Full: the unpruned model's score; else {shown}. ▲ better, ▼ worse, ≈ no change or within noise "
        "(less than 1.96 standard errors of the change, where these are known)."
    )
    return "\n\n".join(parts) + "\n"


def _markdown_cell(row: Row | None, view: View) -> str:
    return escape(" ".join(cell_text(row, view).split()))
