"""Counts in words, on screens, in the command line and in exports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from warehouse.text import counted

ROOT = Path(__file__).resolve().parents[2]
_BY_HAND = re.compile(r"""'s' \* \([^)]*(?:!= 1|> 1)|'s' if |else 's'""")


@pytest.mark.parametrize(("number", "told"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1204, "1,204 rows")])
def test_a_number_has_its_noun(number: int, told: str):
    assert counted(number, "row") == told


def test_a_noun_that_takes_no_s_is_given():
    assert [counted(number, "query", "queries") for number in (1, 3)] == ["1 query", "3 queries"]


def test_no_plural_is_put_together_beside_the_helper():
    assert [
        path.relative_to(ROOT).as_posix()
        for package in ("tui", "engine", "warehouse", "prune_tui")
        for path in (ROOT / package).rglob("*.py")
        if _BY_HAND.search(path.read_text(encoding="utf-8"))
    ] == []
