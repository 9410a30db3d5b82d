"""A name in a CSV is text to a spreadsheet and to a terminal."""

from __future__ import annotations

import csv
import io

import pytest

from tui.shell.exporting import Sheet
from warehouse.exporters.csv_text import csv_text
from warehouse.exporters.tables import Table, format_table


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("+1+cmd", "'+1+cmd"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "'\t=1+1"),
        ("-12.9", "-12.9"),
        ("+1e5", "+1e5"),
        (-12.9, "-12.9"),
        ("piqa", "piqa"),
        ("a=b", "a=b"),
        ("red \x1b[31m", "red \N{REPLACEMENT CHARACTER}[31m"),
        ("two\nlines", "two\nlines"),
        (None, ""),
    ],
)
def test_a_cell(value: object, written: str) -> None:
    columns = ["=name"]
    for text in (
        csv_text(columns, [[value]]),
        Sheet("title", tuple(columns), ((value,),)).csv(),
        format_table(Table(columns, ["VARCHAR"], [(value,)]), "csv"),
    ):
        assert list(csv.reader(io.StringIO(text))) == [["'=name"], [written]]
