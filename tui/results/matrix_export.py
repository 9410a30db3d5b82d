"""The delta matrix for a paper or an issue: Markdown of what the screen shows, the long form as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.results.matrix import Matrix, Row, View, cell_text
from tui.shell.exporting import Sheet
from warehouse.exporters.markdown import escape, table_lines

_SHOWN = {
    "value": "scores",
    "relative": "change in percent of the unpruned model's score",
    "absolute": "change of the score",
    "significance": "change in its standard errors",
}


@dataclass(frozen=True, slots=True)
class MatrixSheet(Sheet):
    """A sheet whose Markdown is the matrix instead of its long form."""

    matrix: Matrix = field(default_factory=lambda: Matrix((), (), {}))
    view: View = "relative"

    def markdown(self) -> str:
        return markdown(self.matrix, self.view)


def markdown(matrix: Matrix, view: View) -> str:
    """A table for each model, benchmarks down, widths across."""
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
                *(_cell(matrix.cells.get((benchmark, width)), view) for width in widths),
            ]
            for benchmark in matrix.benchmarks
        ]
        parts.append(f"### {escape(first.model)}, pruned with {escape(first.method.upper())}")
        parts.append(table_lines(header, rows, right=range(2, len(header))))
        parts.append(f"Conditions: {escape(first.conditions or 'not known')}.")
    parts.append(
        f"Unpruned: the model's own score; else {_SHOWN[view]}. ▲ better and ▼ worse beyond noise (p at most 0.05 "
        "after Holm's correction over the benchmarks of a width), ≈ no change or within noise, △ ▽ better and worse, "
        "not tested."
    )
    return "\n\n".join(parts) + "\n"


def _cell(row: Row | None, view: View) -> str:
    return escape(" ".join(cell_text(row, view).split()))
