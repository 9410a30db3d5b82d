from __future__ import annotations

import pytest

from warehouse.exporters.markdown import escape, table_lines


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("leaderboard_musr", "leaderboard_musr"),
        ("_emphasis_", r"\_emphasis\_"),
        ("a|b", r"a\|b"),
        ("two\nlines\r\n\tand more", "two lines and more"),
        ("`code` *bold* <b> [link](x)", r"\`code\` \*bold\* \<b\> \[link\](x)"),
        (r"back\slash", r"back\\slash"),
        ("bell\x07\x1b[31m", r"bell \[31m"),
    ],
)
def test_escape(text, escaped):
    assert escape(text) == escaped


def test_a_table_lines_up():
    assert table_lines(["a", "b"], [["1", "long cell"], ["22", ""]], right=[0]).splitlines() == [
        "|   a | b         |",
        "|----:|-----------|",
        "|   1 | long cell |",
        "|  22 |           |",
    ]


def test_a_row_that_has_more_cells_than_the_header_is_an_error():
    with pytest.raises(ValueError, match="shorter"):
        table_lines(["a", "b"], [["1", "2", "3"]])
