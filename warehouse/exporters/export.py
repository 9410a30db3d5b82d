"""Delta tables for papers and programs, in each format that there is."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from warehouse.exporters.exporter import DEFAULT, Layout, exporter_named
from warehouse.read.deltas import read_deltas


def export_deltas(
    db: Path,
    *,
    model: str,
    method: str | None = None,
    repair: str | None = None,
    format: str = DEFAULT,  # noqa: A002
    wide: bool = False,
    tasks: Collection[str] = (),
    metrics: Collection[str] = (),
    significance: bool = False,
    intervals: bool = False,
) -> str | bytes:
    """A model's delta table in one of the formats of `exporters`; bytes for Parquet, text else.

    `significance` marks the changes beyond noise in Markdown, with a footnote that says how that was judged, and
    `intervals` adds the 95 % interval of each change; the other formats have these as columns.
    Long form has one row per width and metric, the columns of the `baseline_deltas` view first; the unpruned
    width's rows have a value and no delta. `wide` has one row per width and, for each benchmark, a column of values
    (`piqa/acc`) and one of percent changes (`piqa/acc/delta_pct`). Markdown is always wide. JSON, which has no
    NaN and no infinities, carries them as the strings "NaN", "Infinity" and "-Infinity".

    Raises:
        UserError: no such model, method, repair, task, metric or format; or the file cannot be read.
    """
    exporter = exporter_named(format)
    deltas = read_deltas(db, model=model, method=method, repair=repair, tasks=tasks, metrics=metrics)
    return exporter.write(deltas, Layout(wide=wide, significance=significance, intervals=intervals))
