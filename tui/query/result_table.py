"""The result of a query as a grid: typed columns, nulls shown, only the rows in sight drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.style import Style

from tui.widgets.grid import GridColumn
from warehouse.exporters.tables import Table
from warehouse.text import printable

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*|BIGNUM|NUMBER", re.IGNORECASE)
_MEASURED = 200  # first and last rows that column widths are taken from
_WIDEST = 40


class ResultModel:
    """Rows of a `Table`; `order` is a column to sort by, and whether from the largest down."""

    fixed = 1

    def __init__(self, table: Table, neutral: str, order: tuple[int, bool] | None = None) -> None:
        self.table = table
        self.rows = table.rows if order is None else sorted_rows(table.rows, *order)
        self._measured = table.rows[:_MEASURED] + table.rows[_MEASURED:][-_MEASURED:]
        self._null = Style(color=neutral, italic=True)
        self.columns: Sequence[GridColumn] = [
            GridColumn(("#",), len(str(max(len(table.rows), 1)))),
            *(self._column(index, order) for index in range(len(table.columns))),
        ]
        self._number = Style(color=neutral)

    def _column(self, index: int, order: tuple[int, bool] | None) -> GridColumn:
        name = self.table.columns[index]
        if order is not None and order[0] == index:
            name += " ↓" if order[1] else " ↑"
        longest = max((cell_len(shown(row[index])) for row in self._measured), default=0)
        number = is_number(self.table.types[index])
        return GridColumn((name,), min(max(cell_len(name), longest, 3), _WIDEST), "right" if number else "left")

    def __len__(self) -> int:
        return len(self.rows)

    def cell(self, row: int, column: int) -> tuple[str, Style | None]:
        if column == 0:
            return str(row + 1), self._number
        value = self.rows[row][column - 1]
        return ("null", self._null) if value is None else (shown(value), None)


def is_number(kind: str) -> bool:
    """Of a column's type."""
    return _NUMBER.fullmatch(kind) is not None


def shown(value: Any) -> str:
    """A value on one line; nothing in it can steer the terminal."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.6g}" if abs(value) < 1e15 else repr(value)
        case int():
            return str(value)
        case _:
            text = str(value) if len(str(value)) <= 400 else str(value)[:400] + "…"
            return printable(text, keep="")


def sorted_rows(rows: list[tuple[Any, ...]], column: int, descending: bool) -> list[tuple[Any, ...]]:
    """Sorted by one column, nulls last; values of kinds that do not compare are sorted as text."""
    others = [row for row in rows if row[column] is not None]
    nulls = [row for row in rows if row[column] is None]
    try:
        others.sort(key=lambda row: row[column], reverse=descending)
    except TypeError:
        others.sort(key=lambda row: str(row[column]), reverse=descending)
    return others + nulls
