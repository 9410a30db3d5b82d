"""Delta tables as Markdown, laid out like the study's."""

from __future__ import annotations

from collections import Counter
from importlib.metadata import version

from warehouse.exporters.markdown import escape, table_lines
from warehouse.exporters.method_markdown import methods_markdown
from warehouse.exporters.significance import Shown, around_damage, footnotes, marks
from warehouse.numbers import format_change, format_value
from warehouse.read.deltas import Deltas, DeltaTable
from warehouse.read.grid import Benchmark, Cell, Width


def markdown(deltas: Deltas, *, significance: bool = False, intervals: bool = False) -> str:
    """Every table of the deltas, scores, perplexities and damage apart, each with where it comes from; with
    `significance` methods against each other as well.
    """
    show = Shown(significance, intervals)
    parts: list[str] = []
    for table in deltas.tables:
        pruned = any(not width.unpruned for width in table.grid.columns)
        how = f", pruned with {escape(table.pruned_with.upper())}" if pruned else ""
        parts.append(f"### {escape(table.model)}{how}")
        for kind in ("score", "perplexity", "damage"):
            benchmarks = [benchmark for benchmark in table.grid.rows if benchmark.kind == kind]
            if benchmarks:
                parts.append(_markdown_table(table, benchmarks, show))
        parts.append(_caption(table))
        parts.extend(footnotes(table.grid, show))
        if table.footnotes:
            parts.append(f"Note: {escape('; '.join(table.footnotes))}.")
        if missing := _missing(table):
            parts.append(missing)
    if significance:
        parts += methods_markdown(deltas, show)
    return "\n\n".join(parts) + "\n"


def _markdown_table(table: DeltaTable, benchmarks: list[Benchmark], show: Shown) -> str:
    twice = Counter(benchmark.name for benchmark in benchmarks)
    header = ["Pruning %"]
    for benchmark in benchmarks:
        header.append(escape(benchmark.name if twice[benchmark.name] == 1 else _long_name(benchmark)))
    same_pct = Counter(width.pruning_pct for width in table.grid.columns)
    rows = []
    for width in table.grid.columns:
        texts = [cell_text(table.grid.at(benchmark, width), benchmark, width, show) for benchmark in benchmarks]
        rows.append([_label(width, alone=same_pct[width.pruning_pct] == 1), *texts])
    return table_lines(header, rows, right=range(1, len(header)))


def _label(width: Width, *, alone: bool) -> str:
    pct = f"{width.pruning_pct:g}%"
    if width.unpruned:
        return f"**{pct}** baseline"
    if width.level != f"{width.pruning_pct:g}":
        return f"{pct} ({escape(width.level)})"
    return pct if alone else f"{pct} ({width.intermediate_size} neurons)"


def cell_text(cell: Cell | None, benchmark: Benchmark, width: Width, show: Shown) -> str:
    if cell is None or cell.value is None:
        return "–"
    text = format_value(cell.value, benchmark.kind)
    if benchmark.kind == "damage":  # it is a change itself
        return text + ("" if width.unpruned else around_damage(cell, show))
    if width.unpruned or cell.delta is None:
        return text
    change = format_change(cell.delta_pct)
    return f"{text} ({f'**{change}**' if cell.verdict in ('gain', 'loss') else change}{marks(cell, show)})"


def _long_name(benchmark: Benchmark) -> str:
    details = [benchmark.metric_name]
    if benchmark.num_fewshot is not None and benchmark.num_fewshot >= 0:
        details.append(f"{benchmark.num_fewshot}-shot")
    if benchmark.version is not None:
        details.append(f"version {benchmark.version}")
    return f"{benchmark.name} ({', '.join(details)})"


def _caption(table: DeltaTable) -> str:
    runs = ", ".join(escape(run_id) for run_id in table.run_ids)
    return (
        "In parentheses: change against the unpruned model; bold: beyond noise, gain or loss, after Holm's correction "
        "over the benchmarks of its level. "
        f"Conditions: {escape(table.conditions or 'not known')}. "
        f"{f'Calibrated on {escape(table.calibration)}. ' if table.calibration else ''}"
        f"{'Runs' if len(table.run_ids) > 1 else 'Run'}: {runs}. prune-tui {version('prune-tui')}."
    )


def _missing(table: DeltaTable) -> str | None:
    """A sentence on the cells that the table lacks, by width, with the error where one was recorded."""
    if not any(width.unpruned for width in table.grid.columns):
        return "The unpruned model was not measured under these conditions, so there are no changes to show."
    by_width: dict[Width, list[str]] = {}
    for benchmark, width in table.grid.missing():
        error = table.errors.get((width.pruning_pct, benchmark.task))
        name = escape(benchmark.name) + (f" (failed: {escape(error)})" if error else "")
        by_width.setdefault(width, []).append(name)
    if not by_width:
        return None
    parts = [
        f"{'everything' if len(names) == len(table.grid.rows) else ', '.join(names)} at {width.pruning_pct:g}%"
        for width, names in by_width.items()
    ]
    return f"Missing: {'; '.join(parts)}."
