"""A query's table on a terminal: head and tail of a long one, and columns that fit, with dots for what is left out.

Numbers are never cut, texts are before a column is left out, and columns go from the middle.
"""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.exporters import columns
from warehouse.exporters.tables import Table, numeric, shown_texts
from warehouse.text import counted

_ROWS = 40  # of a result that is longer as many are shown, half of them from its end
_NARROWEST = 12  # places that a text is left when it is cut
_BETWEEN = 3  # places, as `columns.laid_out` has them
_DOTS = "·"
_CUT = "…"


def on_terminal(table: Table, width: int, *, digits: int | None = None) -> str:
    """The table in lines of at most `width` places, and how much of it is shown; ends in a newline.

    `digits` rounds floats to so many significant ones.
    """
    shown, dots_at = _head_and_tail(table)
    names, rows = shown_texts(shown, digits=digits)
    right = set(numeric(table))
    names, rows, right, left_out = _fitting(names, rows, right, width - 1)
    if dots_at is not None:
        rows = [*rows[:dots_at], *[[_DOTS] * len(names)] * 3, *rows[dots_at:]]
    lines = columns.laid_out(names, rows, right=right) if names else []
    return "\n".join([*(line for line in lines if line), _count(table, shown, left_out)]) + "\n"


def _head_and_tail(table: Table) -> tuple[Table, int | None]:
    """What is shown of the rows, and where dots stand for the others."""
    if len(table.rows) <= _ROWS + 3:  # dots take three lines themselves
        return table, None
    half = _ROWS // 2
    return Table(table.columns, table.types, [*table.rows[:half], *table.rows[-half:]], table.truncated), half


def _fitting(
    names: list[str], rows: list[list[str]], right: set[int], room: int
) -> tuple[list[str], list[list[str]], set[int], int]:
    """The columns that fit, their texts cut where need be, and how many were left out."""
    table = [names, *rows]
    widest = [max(columns.width(line) for row in table for line in row[at].split("\n")) for at in range(len(names))]
    if _total(widest) <= room:
        return names, rows, right, 0
    # What a column takes when it is cut: of numbers only the name is.
    values = [max((columns.width(row[at]) for row in rows), default=0) for at in range(len(names))]
    least = [min(wide, max(values[at], _NARROWEST) if at in right else _NARROWEST) for at, wide in enumerate(widest)]
    kept = _kept(least, room)
    dots = [] if len(kept) == len(names) else [next((i for i, at in enumerate(kept) if at != i), len(kept))]
    widths = _shared([widest[at] for at in kept], [least[at] for at in kept], room - (4 if dots else 0))

    def row_of(row: Sequence[str]) -> list[str]:
        cut = [_cut(row[at], wide) for at, wide in zip(kept, widths, strict=True)]
        for place in dots:
            cut.insert(place, _CUT)
        return cut

    ranged = {new for new, at in enumerate(kept) if at in right}
    for place in dots:
        ranged = {new + (new >= place) for new in ranged}
    return row_of(names), [row_of(row) for row in rows], ranged, len(names) - len(kept)


def _total(widths: Sequence[int]) -> int:
    return 1 + sum(widths) + _BETWEEN * (len(widths) - 1)


def _kept(least: Sequence[int], room: int) -> list[int]:
    """The columns that there is room for, from both ends to the middle; the first is there in any case."""
    kept = list(range(len(least)))
    while len(kept) > 1 and _total([least[at] for at in kept]) > room - (4 if len(kept) < len(least) else 0):
        kept.pop(len(kept) // 2)
    return kept


def _shared(widest: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Each column's width: what is free beyond the least goes to the columns place by place, the narrowest first."""
    widths = list(least)
    free = room - _total(widths)
    while free > 0 and (open_ := [at for at, wide in enumerate(widths) if wide < widest[at]]):
        widths[min(open_, key=widths.__getitem__)] += 1
        free -= 1
    return widths


def _cut(text: str, room: int) -> str:
    text = text.replace("\n", " ")
    if columns.width(text) <= room:
        return text
    kept = text[: max(room - 1, 1)]
    while len(kept) > 1 and columns.width(kept) > room - 1:
        kept = kept[:-1]
    return kept + _CUT


def _count(table: Table, shown: Table, left_out: int) -> str:
    rows = counted(len(table.rows), "row")
    parts = [rows]
    if table.truncated:
        parts = [f"{rows} read, there are more"]
    if len(shown.rows) < len(table.rows):
        parts.append(f"{len(shown.rows)} shown")
    if left_out:
        parts.append(f"{counted(len(table.columns), 'column')}, {len(table.columns) - left_out} shown")
    return f"({'; '.join(parts) if left_out else ', '.join(parts)})"
