"""Excel's workbook: numbers stay numbers, rounded for the eye only, and names stay text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warehouse.exporters.exporter import Exporter, Layout

if TYPE_CHECKING:
    from warehouse.read.deltas import Deltas


def _write(deltas: Deltas, layout: Layout) -> bytes:
    import io
    from importlib.util import find_spec

    import polars as pl

    from warehouse.errors import UserError
    from warehouse.exporters.frame import frame

    if find_spec("xlsxwriter") is None:
        raise UserError("Excel's files need XlsxWriter: pip install 'prune-tui[xlsx]', or choose --format csv.")
    import xlsxwriter

    table = frame(deltas, wide=layout.wide)
    if layout.short:
        named = [name for name in ("model", "benchmark", "task") if name in table.columns]
        table = table.with_columns(pl.col(named).replace(dict(layout.short)))
        table = table.rename({name: _renamed(name, layout) for name in table.columns})
    # Left to themselves, Excel's writers take a text that begins with = for a formula, and refuse NaN.
    options: dict[str, Any] = {
        "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True, "in_memory": True,
    }  # fmt: skip
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, options) as workbook:
        table.write_excel(
            workbook,
            worksheet="deltas",
            autofit=True,
            freeze_panes=(1, 0),
            float_precision=4 if layout.digits is None else layout.digits,
        )
    return buffer.getvalue()


def _renamed(column: str, layout: Layout) -> str:
    """Of a wide table's columns (`piqa/acc`) the task's name."""
    task, slash, rest = column.partition("/")
    return f"{layout.short.get(task, task)}{slash}{rest}" if slash else column


EXPORTER = Exporter(name="xlsx", suffixes=(".xlsx",), write=_write, binary=True)
