"""The answer to a statement: sorted by any of its columns, a value in full, a row for whoever asks further."""

from __future__ import annotations

from typing import Any

from textual.geometry import Offset

from tui.query.dialogs import WholeValue
from tui.query.result_table import ResultModel
from tui.widgets.grid import Grid, NoRows
from warehouse.exporters.tables import Table


class Answer(Grid):
    """`table` is what was fetched, `order` a column of it to sort by, and whether from the largest down."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.table: Table | None = None
        self.order: tuple[int, bool] | None = None

    def show_table(self, table: Table, *, cursor: Offset | None = None) -> None:
        self.table = table
        self._draw(table, cursor or Offset(1, 0))

    def put(self, table: Table | None, order: tuple[int, bool] | None, cursor: Offset) -> None:
        """Show another answer as it was left, or none."""
        self.table, self.order = table, order
        if table is None:
            self.show(NoRows())
        else:
            self._draw(table, cursor)

    def _draw(self, table: Table, cursor: Offset) -> None:
        neutral = self.app.theme_variables.get("neutral", "#888888")
        self.show(ResultModel(table, neutral, self.order), cursor=cursor)

    def row(self) -> dict[str, Any] | None:
        """The row at the cursor, by the names of its columns."""
        if not isinstance(self.model, ResultModel) or not len(self.model):
            return None
        return dict(zip(self.model.table.columns, self.model.rows[self.cursor.y], strict=True))

    def sort_at_cursor(self) -> None:
        self._sort(self.cursor.x - 1)

    def on_grid_header_selected(self, event: Grid.HeaderSelected) -> None:
        self._sort(event.column - 1)

    def _sort(self, column: int) -> None:
        """Up, down, then as it came."""
        if self.table is None or not self.table.columns:
            return
        match self.order:
            case _ if column < 0:
                self.order = None
            case (now, False) if now == column:
                self.order = (column, True)
            case (now, True) if now == column:
                self.order = None
            case _:
                self.order = (column, False)
        self._draw(self.table, Offset(1, 0))
        self.cursor = Offset(column + 1, 0)

    def on_grid_cell_selected(self) -> None:
        model = self.model
        if isinstance(model, ResultModel) and len(model):
            value = model.rows[self.cursor.y][self.cursor.x - 1]
            self.app.push_screen(WholeValue(model.table.columns[self.cursor.x - 1], value))
