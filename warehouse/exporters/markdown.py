"""Markdown tables. Names of models and tasks are other people's text: it must stay text."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_SPECIAL = re.compile(r"([\\`*|<>\[\]~$&#])")
_LOOSE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")


def escape(text: str) -> str:
    """The text on one line, with everything that Markdown would read as markup escaped."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _LOOSE_UNDERSCORE.sub(r"\\_", _SPECIAL.sub(r"\\\1", line))


def code(text: str) -> str:
    """The text as code within a line, whatever backticks it has itself."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    room = " " if longest else ""
    return f"{'`' * (longest + 1)}{room}{line}{room}{'`' * (longest + 1)}"


def table_lines(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """A table of cells that are Markdown already, its source lined up; the columns in `right` flush right."""
    widths = [max(3, *(len(row[i]) for row in (header, *rows))) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (w + 1) + ":" if i in right else "-" * (w + 2) for i, w in enumerate(widths)) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])
