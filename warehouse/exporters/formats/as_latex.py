"""LaTeX for a paper, with booktabs' rules: one table of all models, a column for each benchmark, or side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.exporters.exporter import Exporter, Layout

if TYPE_CHECKING:
    from warehouse.read.deltas import Deltas


def _write(deltas: Deltas, layout: Layout) -> str:
    if layout.side_by_side:
        from warehouse.exporters.side_by_side import deltas_latex
        from warehouse.read.grid import results

        return deltas_latex(results(deltas.entries), layout)
    from warehouse.exporters.latex import latex

    return latex(deltas, layout)


EXPORTER = Exporter(name="latex", suffixes=(".tex",), write=_write, side_by_side=True)
