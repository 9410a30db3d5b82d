"""Markdown, laid out like the study's tables; always wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.exporters.exporter import Exporter, Layout

if TYPE_CHECKING:
    from warehouse.read.deltas import Deltas


def _write(deltas: Deltas, layout: Layout) -> str:
    from warehouse.exporters.delta_markdown import markdown

    return markdown(deltas, significance=layout.significance, intervals=layout.intervals)


EXPORTER = Exporter(name="markdown", suffixes=(".md", ".markdown", ".txt"), write=_write)
