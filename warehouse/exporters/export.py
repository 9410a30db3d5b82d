"""Delta tables for papers and programs: Markdown like the study's, CSV, Parquet and JSON."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import polars as pl

from warehouse.exporters.csv_text import csv_cell, csv_text
from warehouse.exporters.markdown import escape, table_lines
from warehouse.exporters.significance import Shown, footnotes, marks
from warehouse.numbers import format_change, format_value, json_number, json_rows
from warehouse.read.deltas import Deltas, DeltaTable, read_deltas
from warehouse.read.grid import Benchmark, Cell, Entry, Width

Format = Literal["markdown", "csv", "parquet", "json"]

_SCHEMA = {
    "model": pl.String, "method": pl.String, "pruning_pct": pl.Float64, "task": pl.String, "metric": pl.String,
    "value": pl.Float64, "baseline": pl.Float64, "delta": pl.Float64, "delta_pct": pl.Float64, "improved": pl.Boolean,
    "stderr": pl.Float64, "benchmark": pl.String, "filter": pl.String, "num_fewshot": pl.Int64, "version": pl.String,
    "higher_is_better": pl.Boolean, "n": pl.Int64, "level": pl.String, "intermediate_size": pl.Int64,
    "expansion_ratio": pl.Float64, "parameters": pl.Int64, "conditions": pl.String, "run_id": pl.String,
    "model_id": pl.String, "stderr_kind": pl.String, "ci_low": pl.Float64, "ci_high": pl.Float64,
    "ci_low_pct": pl.Float64, "ci_high_pct": pl.Float64, "p_value": pl.Float64, "p_kind": pl.String,
    "p_holm": pl.Float64, "verdict": pl.String, "pairs": pl.Int64, "lost": pl.Int64, "gained": pl.Int64,
    "agreement": pl.Float64, "chance": pl.Float64, "retained_pct": pl.Float64, "p_table": pl.Float64,
    "table_verdict": pl.String, "factor": pl.Float64, "factor_low": pl.Float64, "factor_high": pl.Float64,
    "footnote": pl.String,
}  # fmt: skip
_OF_A_WIDTH = (
    "model", "method", "conditions", "pruning_pct", "level", "intermediate_size", "expansion_ratio", "parameters",
    "model_id",
)  # fmt: skip


def export_deltas(
    db: Path,
    *,
    model: str,
    method: str | None = None,
    format: Format = "markdown",  # noqa: A002
    wide: bool = False,
    tasks: Collection[str] = (),
    metrics: Collection[str] = (),
    significance: bool = False,
    intervals: bool = False,
) -> str | bytes:
    """A model's delta table; bytes for Parquet, text else.

    `significance` marks the changes beyond noise in Markdown, with a footnote that says how that was judged, and
    `intervals` adds the 95 % interval of each change; the other formats have these as columns.
    Long form has one row per width and metric, the columns of the `baseline_deltas` view first; the unpruned
    width's rows have a value and no delta. `wide` has one row per width and, for each benchmark, a column of values
    (`piqa/acc`) and one of percent changes (`piqa/acc/delta_pct`). Markdown is always wide. JSON, which has no
    NaN and no infinities, carries them as the strings "NaN", "Infinity" and "-Infinity".

    Raises:
        UserError: no such model, method, task or metric; or the file cannot be read.
    """
    deltas = read_deltas(db, model=model, method=method, tasks=tasks, metrics=metrics)
    if format == "markdown":
        return markdown(deltas, significance=significance, intervals=intervals)
    table = frame(deltas, wide=wide)
    match format:
        case "csv":
            texts = pl.col(pl.String).map_elements(csv_cell, return_dtype=pl.String)
            return csv_text(table.columns, ()) + table.with_columns(texts).write_csv(include_header=False)
        case "parquet":
            buffer = io.BytesIO()
            table.write_parquet(buffer)
            return buffer.getvalue()
        case "json":
            return json_rows(_plain(row) for row in table.to_dicts())


def frame(deltas: Deltas, *, wide: bool = False) -> pl.DataFrame:
    """The deltas in long form, or wide, as `export_deltas` has them."""
    if wide:
        return _wide(deltas)
    rows = [[facts[name] for name in _SCHEMA] for facts in map(_facts, deltas.entries)]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row", strict=False)


def markdown(deltas: Deltas, *, significance: bool = False, intervals: bool = False) -> str:
    """Every table of the deltas, scores and perplexities apart, each with where it comes from."""
    show = Shown(significance, intervals)
    parts: list[str] = []
    for table in deltas.tables:
        pruned = any(not width.unpruned for width in table.grid.columns)
        parts.append(f"### {escape(table.model)}" + (f", pruned with {escape(table.method.upper())}" if pruned else ""))
        for kind in ("score", "perplexity"):
            benchmarks = [benchmark for benchmark in table.grid.rows if benchmark.kind == kind]
            if benchmarks:
                parts.append(_markdown_table(table, benchmarks, show))
        parts.append(_caption(table))
        parts.extend(footnotes(table, show))
        if table.footnotes:
            parts.append(f"Note: {escape('; '.join(table.footnotes))}.")
        if missing := _missing(table):
            parts.append(missing)
    return "\n\n".join(parts) + "\n"


def _markdown_table(table: DeltaTable, benchmarks: list[Benchmark], show: Shown) -> str:
    twice = Counter(benchmark.name for benchmark in benchmarks)
    header = ["Pruning %"]
    for benchmark in benchmarks:
        header.append(escape(benchmark.name if twice[benchmark.name] == 1 else _long_name(benchmark)))
    same_pct = Counter(width.pruning_pct for width in table.grid.columns)
    rows = []
    for width in table.grid.columns:
        texts = [_cell(table.grid.at(benchmark, width), benchmark, width, show) for benchmark in benchmarks]
        rows.append([_label(width, alone=same_pct[width.pruning_pct] == 1), *texts])
    return table_lines(header, rows, right=range(1, len(header)))


def _label(width: Width, *, alone: bool) -> str:
    pct = f"{width.pruning_pct:g}%"
    if width.unpruned:
        return f"**{pct}** baseline"
    if width.level != f"{width.pruning_pct:g}":
        return f"{pct} ({escape(width.level)})"
    return pct if alone else f"{pct} ({width.intermediate_size} neurons)"


def _cell(cell: Cell | None, benchmark: Benchmark, width: Width, show: Shown) -> str:
    if cell is None or cell.value is None:
        return "–"
    text = format_value(cell.value, benchmark.kind)
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
        f"Run{'s' if len(table.run_ids) > 1 else ''}: {runs}. prune-tui {version('prune-tui')}."
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
    told = [
        f"{'everything' if len(names) == len(table.grid.rows) else ', '.join(names)} at {width.pruning_pct:g}%"
        for width, names in by_width.items()
    ]
    return f"Missing: {'; '.join(told)}."


def _wide(deltas: Deltas) -> pl.DataFrame:
    names = _wide_names(deltas.entries)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for entry in deltas.entries:
        facts = _facts(entry)
        of_width = {name: facts[name] for name in _OF_A_WIDTH}
        found = rows.setdefault(tuple(of_width.values()), of_width)
        name = names[entry.benchmark]
        found[name] = entry.cell.value
        found[f"{name}/delta_pct"] = entry.cell.delta_pct
    schema = {name: _SCHEMA[name] for name in _OF_A_WIDTH}
    for name in names.values():
        schema |= {name: pl.Float64, f"{name}/delta_pct": pl.Float64}
    return pl.DataFrame(list(rows.values()), schema=schema, strict=False)


def _wide_names(entries: list[Entry]) -> dict[Benchmark, str]:
    """The shortest name that tells each column from the others: task/metric, then filter, shots and version."""
    keys = {one: (one.task, one.metric, one.filter, one.num_fewshot, one.version)
            for one in dict.fromkeys(entry.benchmark for entry in entries)}  # fmt: skip
    for parts in (2, 3, 4, 5):
        names = {one: "/".join(str(part) for part in key[:parts]) for one, key in keys.items()}
        if len(set(names.values())) == len(keys):
            break
    return names


def _facts(entry: Entry) -> dict[str, Any]:
    """`stderr` is the change's: nothing else is asked of a table of changes."""
    return entry.facts() | {"stderr": entry.cell.delta_stderr}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: json_number(value) if isinstance(value, float) else value for name, value in row.items()}
