"""CSV that a spreadsheet may open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.exporters.exporter import Exporter, Layout

if TYPE_CHECKING:
    from warehouse.read.deltas import Deltas


def _write(deltas: Deltas, layout: Layout) -> str:
    if layout.side_by_side:
        from warehouse.exporters.side_by_side import deltas_csv
        from warehouse.read.grid import results

        return deltas_csv(results(deltas.entries), layout)
    import polars as pl

    from warehouse.exporters.csv_text import csv_cell, csv_text
    from warehouse.exporters.frame import frame

    table = frame(deltas, wide=layout.wide)
    texts = pl.col(pl.String).map_elements(csv_cell, return_dtype=pl.String)
    return csv_text(table.columns, ()) + table.with_columns(texts).write_csv(include_header=False)


EXPORTER = Exporter(name="csv", suffixes=(".csv",), write=_write, side_by_side=True)
