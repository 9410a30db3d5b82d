"""The delta matrix for a paper or an issue: Markdown of what the screen shows, the long form as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tui.results.matrix import Matrix, View, cell_text, groups
from tui.shell.exporting import Sheet
from warehouse.exporters.markdown import escape, table_lines
from warehouse.read.grid import Benchmark, Entry, Width

# As the query has them.
COLUMNS = (
    "model", "method", "repair", "pruning_pct", "benchmark", "metric", "value", "baseline", "delta", "delta_pct",
    "improved", "verdict", "p_holm", "p_table", "table_verdict", "factor", "factor_low", "factor_high", "log_stderr",
    "ci_low", "ci_high", "ci_low_pct", "ci_high_pct", "delta_stderr", "stderr_kind", "p_value", "p_kind", "pairs",
    "lost", "gained", "agreement", "chance", "retained_pct", "unpaired_because", "stderr", "baseline_stderr", "n",
    "task", "filter", "num_fewshot", "version", "kind", "higher_is_better", "level", "unpruned", "intermediate_size",
    "expansion_ratio", "parameters", "is_group", "conditions", "model_id", "run_id", "seq", "baseline_run_id",
    "baseline_seq", "baseline_level", "baseline_parameters", "footnote", "calibration", "base_conditions",
)  # fmt: skip
_SHOWN = {
    "value": "scores",
    "relative": "change in percent of the unpruned model's score",
    "absolute": "change of the score",
    "significance": "change in its standard errors",
}


@dataclass(frozen=True, slots=True)
class MatrixSheet(Sheet):
    """A sheet whose Markdown is the matrix instead of its long form."""

    matrix: Matrix = field(default_factory=Matrix)
    view: View = "relative"

    def markdown(self) -> str:
        return markdown(self.matrix, self.view)


def markdown(matrix: Matrix, view: View) -> str:
    """A table for each model, benchmarks down, widths across."""
    parts: list[str] = []
    start = 0
    for first, count in groups(matrix):
        widths = matrix.columns[start : start + count]
        start += count
        header = ["Benchmark", "Metric", *(escape(width.label) for width in widths)]
        rows = [
            [
                escape(benchmark.name),
                escape(benchmark.metric_name),
                *(_cell(matrix, benchmark, width, view) for width in widths),
            ]
            for benchmark in matrix.rows
        ]
        parts.append(f"### {escape(first.model)}, pruned with {escape(first.pruned_with.upper())}")
        parts.append(table_lines(header, rows, right=range(2, len(header))))
        calibration = next((width.calibration for width in widths if width.calibration), None)
        told = f" Calibrated on {escape(calibration)}." if calibration else ""
        parts.append(f"Conditions: {escape(first.conditions or 'not known')}.{told}")
    parts.append(
        f"Unpruned: the model's own score; else {_SHOWN[view]}. ▲ better and ▼ worse beyond noise (p at most 0.05 "
        "after Holm's correction over the benchmarks of a width), ≈ no change or within noise, △ ▽ better and worse, "
        "not tested, ○ a score that is not clear of chance."
    )
    return "\n\n".join(parts) + "\n"


def long_form(matrix: Matrix) -> tuple[tuple[Any, ...], ...]:
    """A row of `COLUMNS` for each cell, benchmark by benchmark."""
    rows: list[tuple[Any, ...]] = []
    for benchmark in matrix.rows:
        for width in matrix.columns:
            if (cell := matrix.at(benchmark, width)) is not None:
                facts = Entry(benchmark, width, cell).facts()
                rows.append(tuple(facts[name] for name in COLUMNS))
    return tuple(rows)


def _cell(matrix: Matrix, benchmark: Benchmark, width: Width, view: View) -> str:
    text = cell_text(matrix.at(benchmark, width), view, unpruned=width.unpruned)
    return escape(" ".join(text.split()))
