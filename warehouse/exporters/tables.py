"""A query's table as text: for the screen, as Markdown, CSV or JSON."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from warehouse.exporters import columns
from warehouse.exporters.csv_text import csv_text
from warehouse.exporters.markdown import escape, table_lines
from warehouse.numbers import json_number, json_rows
from warehouse.text import counted, printable

TableFormat = Literal["table", "markdown", "csv", "json"]

_NO_LIMIT = 10_000  # of a line, where nothing says how wide it may be
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)|BIGNUM")


@dataclass(frozen=True, slots=True)
class Table:
    """What a query returned. `types` are DuckDB's names; `truncated` says that rows beyond the limit were left."""

    columns: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]
    truncated: bool = False


def format_table(table: Table, format: TableFormat = "table", *, digits: int | None = None) -> str:  # noqa: A002
    """The table as text that ends in a newline; `digits` rounds the floats of the "table" format to significant ones.

    CSV leaves a null empty and writes NaN and infinities as `nan`, `inf`, `-inf`; JSON is a list of objects, where
    those are the strings "NaN", "Infinity" and "-Infinity", and a repeated column name gets a number.
    """
    match format:
        case "table":
            return _screen(table, digits)
        case "markdown":
            cells = [["" if value is None else escape(_text(value)) for value in row] for row in table.rows]
            return table_lines([escape(name) for name in table.columns], cells, right=numeric(table)) + "\n"
        case "csv":
            rows = ([None if value is None else _text(value) for value in row] for row in table.rows)
            return csv_text(table.columns, rows)
        case "json":
            names = unique_names(table.columns)
            plain = [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in table.rows]
            return json_rows(plain)


def shown_texts(table: Table, *, digits: int | None = None) -> tuple[list[str], list[list[str]]]:
    """Names and values as a screen shows them; `digits` rounds floats to so many significant ones."""

    def text(value: Any) -> str:
        if digits is not None and isinstance(value, float):
            return f"{value:.{digits}g}"
        return "NULL" if value is None else printable(_text(value), keep="\n")

    return [printable(name, keep="\n") for name in table.columns], [
        [text(value) for value in row] for row in table.rows
    ]


def _screen(table: Table, digits: int | None) -> str:
    right = numeric(table)
    names, rows = shown_texts(table, digits=digits)
    lines = columns.laid_out(names, rows, right=right) if names else []
    if any(columns.width(line) >= _NO_LIMIT for line in lines):
        lines = _folded(names, rows, right, _NO_LIMIT)
    count = counted(len(table.rows), "row")
    more = " shown, there are more" if table.truncated else ""
    return "\n".join([*(line for line in lines if line), f"({count}{more})"]) + "\n"


def _folded(names: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int], width: int) -> list[str]:
    """As `columns.laid_out`, in at most `width` places; for that Rich is asked, which takes a while to load."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, name in enumerate(names):
        shown.add_column(Text(name), justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*map(Text, row))
    buffer = io.StringIO()
    console = Console(file=buffer, width=width, color_system=None, markup=False, emoji=False, highlight=False)
    console.print(shown)
    return [line.rstrip() for line in buffer.getvalue().splitlines()]


def numeric(table: Table) -> list[int]:
    """The columns of numbers."""
    return [i for i, name in enumerate(table.types) if _NUMBER.fullmatch(name.upper())]


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
        case bytes():
            return value.hex()
        case Mapping() | list() | tuple():
            return json.dumps(_plain(value), ensure_ascii=False)
        case _:
            return str(value)


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return json_number(value)
        case Decimal():
            return json_number(float(value))
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, a repeated one with a number."""
    seen: Counter[str] = Counter()
    unique: list[str] = []
    for name in names:
        seen[name] += 1
        new = name if seen[name] == 1 else f"{name}_{seen[name]}"
        while new in unique:
            seen[name] += 1
            new = f"{name}_{seen[name]}"
        unique.append(new)
    return unique
