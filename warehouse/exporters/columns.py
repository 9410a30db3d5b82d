"""Texts in columns below their names, as lines: for what fits on a line without being folded."""

from __future__ import annotations

from collections.abc import Collection, Sequence

_BETWEEN = "   "
_EDGE = " "


def laid_out(names: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int]) -> list[str]:
    """Names, a rule and the rows; a text of several lines takes several. The columns `right` are ranged right, and names
    end right above the rule.

    Spaces at the ends of lines are left out.
    """
    table = [[text.split("\n") for text in row] for row in (names, *rows)]
    widths = [max(width(line) for row in table for line in row[column]) for column in range(len(names))]
    most = max(map(len, table[0]), default=0)
    table[0] = [[""] * (most - len(cell)) + cell for cell in table[0]]
    header, *body = [_row(row, widths, right) for row in table]
    rule = _EDGE + "─" * (sum(widths) + len(_BETWEEN) * (len(widths) - 1))
    return [*header, rule, *(line for row in body for line in row)]


def width(text: str) -> int:
    """How many places of a terminal's line it takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _row(cells: Sequence[Sequence[str]], widths: Sequence[int], right: Collection[int]) -> list[str]:
    lines = []
    for at in range(max(map(len, cells), default=0)):
        texts = [cell[at] if at < len(cell) else "" for cell in cells]
        padded = [
            " " * (room - width(text.rstrip())) + text.rstrip()
            if column in right
            else text + " " * (room - width(text))
            for column, (text, room) in enumerate(zip(texts, widths, strict=True))
        ]
        lines.append((_EDGE + _BETWEEN.join(padded)).rstrip())
    return lines
