"""What a screen hands over: the same table in each format, numbers flush right, names as they are."""

from __future__ import annotations

from tui.shell.exporting import Sheet

SHEET = Sheet("Runs", ("name", "share_%"), (("a_b & c", 0.5), (None, 12345678.0)))


def test_latex_escapes_names_and_lines_numbers_up():
    assert SHEET.latex().splitlines()[1:] == [
        r"\begin{tabular}{lr}", r"\toprule", r"name & share\_\% \\", r"\midrule", r"a\_b \& c & 0.5 \\",
        r" & 1.23457e+07 \\", r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip


def test_markdown_has_the_title_above_the_table():
    assert SHEET.markdown().splitlines()[0] == "Runs"
    assert SHEET.markdown().splitlines()[4] == r"| a_b \& c |         0.5 |"
