"""The delta matrix for a paper or an issue: Markdown of what the screen shows, the long form as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tui.results.matrix import Matrix, View, cell_text
from tui.shell.exporting import Sheet
from warehouse.exporters.exporter import Layout
from warehouse.exporters.markdown import escape
from warehouse.exporters.side_by_side import deltas_latex, lined_up
from warehouse.read.grid import Benchmark, Entry, Width
from warehouse.records.names import short_name

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
    """A sheet whose Markdown and LaTeX are the matrix instead of its long form."""

    matrix: Matrix = field(default_factory=Matrix)
    view: View = "relative"

    def markdown(self) -> str:
        return markdown(self.matrix, self.view)

    def latex(self) -> str:
        """Scores and changes, whatever the view: LaTeX's tables are for papers."""
        return deltas_latex(self.matrix, Layout())


def markdown(matrix: Matrix, view: View) -> str:
    """One table: benchmarks down, the widths of each model and method across, what they share in no title."""

    def text(row: Benchmark, width: Width) -> str:
        return escape(" ".join(cell_text(matrix.at(row, width), view, unpruned=width.unpruned).split()))

    legend = (
        f"Unpruned: the model's own score; else {_SHOWN[view]}. ▲ better and ▼ worse beyond noise (p at most 0.05 "
        "after Holm's correction over the benchmarks of a width), ≈ no change or within noise, △ ▽ better and worse, "
        "not tested, ○ a score that is not clear of chance."
    )
    return f"{lined_up(matrix, text, short_name)}\n\n{legend}\n"


def long_form(matrix: Matrix) -> tuple[tuple[Any, ...], ...]:
    """A row of `COLUMNS` for each cell, benchmark by benchmark."""
    rows: list[tuple[Any, ...]] = []
    for benchmark in matrix.rows:
        for width in matrix.columns:
            if (cell := matrix.at(benchmark, width)) is not None:
                facts = Entry(benchmark, width, cell).facts()
                rows.append(tuple(facts[name] for name in COLUMNS))
    return tuple(rows)
