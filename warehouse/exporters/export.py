"""Delta tables for papers and programs, in each format that there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from warehouse.errors import UserError
from warehouse.exporters.exporter import DEFAULT, Layout, exporter_named, exporters
from warehouse.read.deltas import read_deltas, together


def export_deltas(
    db: Path,
    *,
    model: str | Sequence[str],
    method: str | None = None,
    repair: str | None = None,
    format: str = DEFAULT,  # noqa: A002
    wide: bool = False,
    side_by_side: bool = False,
    levels: Collection[str] = (),
    tasks: Collection[str] = (),
    metrics: Collection[str] = (),
    significance: bool = False,
    intervals: bool = False,
    digits: int | None = None,
    short: Mapping[str, str] | None = None,
) -> str | bytes:
    """A model's delta table in one of the formats of `exporters`, or that of several models; bytes for Parquet and
    Excel's, text else.

    `significance` marks the changes beyond noise in Markdown, with a footnote that says how that was judged, and sets
    methods and repairs of a model against each other; `intervals` adds the 95 % interval of each change. The other
    formats have these as columns.
    Long form has one row per width and metric, the columns of the `baseline_deltas` view first; the unpruned width's
    rows have a value and no delta. `wide` has one row per width and, for each benchmark, a column of values
    (`piqa/acc`) and one of percent changes (`piqa/acc/delta_pct`). Markdown is always wide. JSON, which has no NaN
    and no infinities, carries them as the strings "NaN", "Infinity" and "-Infinity". LaTeX has one table of all
    models, wide; there and in Excel `digits` are the decimals of scores, and `short` has names to show instead of
    models' and benchmarks' own.

    `side_by_side` is one table of all models and methods, in Markdown, LaTeX and CSV: a row for each benchmark, a
    column for each width of each model, method and repair, the unpruned model once. `levels` are those to have beside
    it, such as 40; all of them where none is named.

    Raises:
        UserError: no such model, method, repair, level, task, metric or format; or the file cannot be read.
    """
    exporter = exporter_named(format)
    if side_by_side and not exporter.side_by_side:
        ways = ", ".join(one.name for one in exporters().values() if one.side_by_side)
        raise UserError(f"Side by side is no layout of {exporter.name}: choose one of {ways}.")
    if side_by_side and wide:
        raise UserError("A table is wide, or side by side: leave one of them away.")
    models = [model] if isinstance(model, str) else list(model)
    read = [
        read_deltas(
            db,
            model=one,
            method=method,
            repair=repair,
            levels=levels,
            tasks=tasks,
            metrics=metrics,
            compare_methods=significance,
        )
        for one in models
    ]
    layout = Layout(
        wide=wide,
        side_by_side=side_by_side,
        significance=significance,
        intervals=intervals,
        digits=digits,
        short=short or {},
    )
    return exporter.write(together(read), layout)
