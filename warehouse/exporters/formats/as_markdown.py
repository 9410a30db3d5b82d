"""Markdown, laid out like the study's tables; wide, or side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.exporters.exporter import Exporter, Layout

if TYPE_CHECKING:
    from warehouse.read.deltas import Deltas


def _write(deltas: Deltas, layout: Layout) -> str:
    if layout.side_by_side:
        from warehouse.exporters.side_by_side import deltas_markdown
        from warehouse.read.grid import results

        return deltas_markdown(results(deltas.entries), layout)
    from warehouse.exporters.delta_markdown import markdown

    return markdown(deltas, significance=layout.significance, intervals=layout.intervals)


EXPORTER = Exporter(name="markdown", suffixes=(".md", ".markdown", ".txt"), write=_write, side_by_side=True)
