"""What a terminal shows of a result that is too long or too wide for it."""

from __future__ import annotations

import random

import pytest

from warehouse.exporters import columns
from warehouse.exporters.tables import Table, format_table
from warehouse.exporters.terminal import on_terminal


def test_what_fits_is_shown_whole():
    table = Table(["task", "value"], ["VARCHAR", "DOUBLE"], [("piqa", 0.5), ("two\nlines", None)])
    assert on_terminal(table, 80) == format_table(table)


def test_of_a_long_result_head_and_tail_are_shown_and_all_are_counted():
    table = Table(["n"], ["BIGINT"], [(n,) for n in range(1234)])
    lines = on_terminal(table, 80).splitlines()
    assert [line.strip() for line in lines[2:]] == [
        *map(str, range(20)), "·", "·", "·", *map(str, range(1214, 1234)), "(1,234 rows, 40 shown)",
    ]  # fmt: skip
    short = Table(["n"], ["BIGINT"], [(n,) for n in range(43)])
    assert on_terminal(short, 80).endswith("(43 rows)\n")


def test_texts_are_cut_before_columns_are_left_out_and_numbers_never_are():
    table = Table(["said", "n"], ["VARCHAR", "BIGINT"], [("word " * 20, 12345678901234567)])
    lines = on_terminal(table, 40).splitlines()
    assert lines[2] == " word word word wo…   12345678901234567"
    assert lines[-1] == "(1 row)"
    wide = Table([f"c{i}" for i in range(9)], ["BIGINT"] * 9, [tuple(10**9 + i for i in range(9))])
    lines = on_terminal(wide, 50).splitlines()
    assert lines[2].split() == ["1000000000", "1000000001", "…", "1000000008"]
    assert lines[-1] == "(1 row; 9 columns, 3 shown)"


def test_floats_are_rounded_for_people():
    table = Table(["x"], ["DOUBLE"], [(90.0537335964205,), (1e-9 / 3,), (float("nan"),), (0.5,)])
    assert [line.strip() for line in on_terminal(table, 80, digits=6).splitlines()[2:6]] == [
        "90.0537", "3.33333e-10", "nan", "0.5",
    ]  # fmt: skip
    assert "90.0537335964205" in format_table(table, "csv", digits=6)


@pytest.mark.parametrize("seed", range(20))
def test_no_line_is_longer_than_the_terminal(seed: int):
    draw = random.Random(seed)
    texts = ["", "x", "日本語" * 5, "two\nlines " * 9, "👍" * 30, "word " * 20]
    count = draw.randint(1, 30)
    rows = [tuple(draw.choice(texts) for _ in range(count)) for _ in range(draw.randint(0, 5))]
    table = Table([draw.choice(texts) for _ in range(count)], ["VARCHAR"] * count, rows)
    for width in (40, 80, 200):
        assert max(map(columns.width, on_terminal(table, width).splitlines())) <= width
