"""What a screen hands over when a person copies or exports what they look at."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, runtime_checkable

from warehouse.exporters.csv_text import csv_text
from warehouse.exporters.markdown import escape, table_lines

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it is exported: plain values, a title, and the SQL that gives it, where there is one."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sql: str | None = None

    def markdown(self) -> str:
        header = [escape(name) for name in self.columns]
        return f"{escape(self.title)}\n\n{table_lines(header, self._texts(escape), right=self._right())}\n"

    def latex(self) -> str:
        from warehouse.exporters import latex

        return latex.table([latex.escape(name) for name in self.columns], self._texts(latex.escape), self._right())

    def csv(self) -> str:
        return csv_text(self.columns, self.rows)

    def _texts(self, escaped: Callable[[str], str]) -> list[list[str]]:
        return [[escaped(_plain(cell)) for cell in row] for row in self.rows]

    def _right(self) -> set[int]:
        """The columns with numbers."""
        return {
            index for index in range(len(self.columns)) if any(isinstance(row[index], int | float) for row in self.rows)
        }

    def parquet(self) -> bytes:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = [[row[index] for row in self.rows] for index in range(len(self.columns))]
        data = io.BytesIO()
        pq.write_table(pa.table([_array(pa, column) for column in columns], names=list(self.columns)), data)
        return data.getvalue()


def table_of(rows: Sequence[Any], *, leave_out: Collection[str] = ()) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Columns and rows of dataclasses of one kind."""
    columns = tuple(one.name for one in fields(rows[0]) if one.name not in leave_out) if rows else ()
    return columns, tuple(tuple(getattr(row, name) for name in columns) for row in rows)


@runtime_checkable
class Exportable(Protocol):
    """A screen with a table to copy (`y`), to export (ctrl+e) or to open as SQL (`s`)."""

    def sheet(self) -> Sheet | None:
        """What is focused, or None where there is nothing yet."""
        ...


def _plain(cell: Any) -> str:
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def _array(pa: Any, column: list[Any]) -> Any:
    try:
        return pa.array(column)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # values of several kinds, or beyond 64 bits
        return pa.array([None if cell is None else str(cell) for cell in column])
