"""Columns of text are those that Rich would draw, which loads slowly and folds what is too wide."""

from __future__ import annotations

import json
import random

import pytest

from warehouse.exporters import tables
from warehouse.exporters.tables import Table, format_table

_TEXTS = [
    "",
    "x",
    "a b",
    "piqa",
    "two\nlines",
    "日本語",
    "é",
    "e\N{COMBINING ACUTE ACCENT}",
    "👍",
    "tail  ",
    "  head",
    "a\n\nb",
]


def some_table(seed: int) -> Table:
    draw = random.Random(seed)
    types = draw.choices(["VARCHAR", "DOUBLE", "BIGINT"], k=draw.randint(1, 5))
    values = {
        "VARCHAR": [*_TEXTS, None],
        "DOUBLE": [0.5, -1.25e-9, float("nan"), None],
        "BIGINT": [0, -7, 10**12, None],
    }
    rows = [tuple(draw.choice(values[kind]) for kind in types) for _ in range(draw.randint(0, 6))]
    return Table([draw.choice(_TEXTS) for _ in types], types, rows)


def test_a_column_whose_name_is_taken_gets_the_next_number_that_is_free():
    table = Table(["a", "a_2", "a", "a"], ["BIGINT"] * 4, [(1, 2, 3, 4)])
    assert json.loads(format_table(table, "json")) == [{"a": 1, "a_2": 2, "a_3": 3, "a_4": 4}]


@pytest.mark.parametrize("seed", range(40))
def test_what_fits_is_laid_out_as_rich_does(seed, monkeypatch):
    table = some_table(seed)
    ours = format_table(table)
    monkeypatch.setattr(tables.columns, "laid_out", lambda *_, **__: ["x" * 20_000])
    assert ours == format_table(table)
