"""LaTeX for a paper, with booktabs' rules: one table of all models, a column for each benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.exporters.exporter import Exporter, Layout

if TYPE_CHECKING:
    from warehouse.read.deltas import Deltas


def _write(deltas: Deltas, layout: Layout) -> str:
    from warehouse.exporters.latex import latex

    return latex(deltas, layout)


EXPORTER = Exporter(name="latex", suffixes=(".tex",), write=_write)
