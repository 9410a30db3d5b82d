"""Parquet, with the columns' types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.exporters.exporter import Exporter, Layout

if TYPE_CHECKING:
    from warehouse.read.deltas import Deltas


def _write(deltas: Deltas, layout: Layout) -> bytes:
    import io

    from warehouse.exporters.frame import frame

    buffer = io.BytesIO()
    frame(deltas, wide=layout.wide).write_parquet(buffer)
    return buffer.getvalue()


EXPORTER = Exporter(name="parquet", suffixes=(".parquet",), write=_write, binary=True)
