"""JSON, a list of objects; "NaN", "Infinity" and "-Infinity" are strings, since it has no such numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warehouse.exporters.exporter import Exporter, Layout
from warehouse.numbers import json_number, json_rows

if TYPE_CHECKING:
    from warehouse.read.deltas import Deltas


def _write(deltas: Deltas, layout: Layout) -> str:
    from warehouse.exporters.frame import frame

    return json_rows(_plain(row) for row in frame(deltas, wide=layout.wide).to_dicts())


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: json_number(value) if isinstance(value, float) else value for name, value in row.items()}


EXPORTER = Exporter(name="json", suffixes=(".json",), write=_write)
