"""A cell's documents as rows of a grid: the scores of two levels, which of them flipped, and the question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.style import Style

from tui.format import value
from tui.results.document_text import Side
from tui.widgets.grid import GridColumn
from tui.widgets.palette import Palette
from warehouse.excerpt import without_note
from warehouse.read.cell_details import Scored


class DocumentList:
    """One row a document; with two sides, the score before and after."""

    fixed = 1

    def __init__(
        self,
        rows: Sequence[Scored],
        texts: Mapping[tuple[str, int], str],
        sides: tuple[Side | None, Side],
        better: Callable[[Scored], bool],
        group: str | None,
        palette: Palette,
        room: int,
    ) -> None:
        """`texts` are questions by task and document, `sides` the one beside and this one, `better` says of a flipped
        document which way it went, `group` is the task that several others are parts of, `room` is in columns."""
        self._rows, self._texts, self._better, self._palette = rows, texts, better, palette
        other, side = sides
        self._pair = other is not None
        prefix = None if group is None else f"{group}_"
        self._names = [
            str(row.doc_id) if prefix is None else f"{row.task.removeprefix(prefix)} {row.doc_id}" for row in rows
        ]
        columns = [
            GridColumn(("document",), min(max(8, *map(len, self._names), 0), 26), "left"),
            *(GridColumn((name,), 9) for name in _headings(other, side)),
        ]
        used = sum(column.width + 1 for column in columns)
        self.columns: Sequence[GridColumn] = [
            *columns,
            GridColumn(("question",), max(room - used - 1, 24), "left"),
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def cell(self, row: int, column: int) -> tuple[str, Style | None]:
        found = self._rows[row]
        if column == 0:
            return self._names[row], None
        if not self._pair:
            column += 1
        match column:
            case 1:
                return _score(found.before), None
            case 2:
                if not found.flipped:
                    return _score(found.after), None
                sign = "▲" if self._better(found) else "▼"
                return f"{sign} {_score(found.after)}", self._palette.heat(sign, 0.2)
            case _:
                return without_note(self._texts.get((found.task, found.doc_id), ""))[:300], None


def _headings(other: Side | None, side: Side) -> list[str]:
    if other is None:
        return [side.short]
    return ["beside", "this"] if other.short == side.short else [other.short, side.short]


def _score(number: float | None) -> str:
    return "–" if number is None else value(number)
