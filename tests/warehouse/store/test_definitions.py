"""Files of macros and views say what they build on, and are put in after it."""

from __future__ import annotations

import re

import pytest

from warehouse.store import definitions, statements
from warehouse.store.definitions import Definition, definition, in_order

FILES = [one for folder in ("macros", "views", "studies") for one in definitions.read(statements.SQL / folder)]
NAMES = {name for one in FILES for name in one.makes}
_ASIDE = re.compile(r"'(?:[^']|'')*'|--[^\n]*")


def referred_to(text: str) -> set[str]:
    """Macros that the text calls, and views that it reads; what stands in quotes or comments is none."""
    code = _ASIDE.sub("''", text)
    calls = set(re.findall(r"\b(\w+)\s*\(", code))
    reads = set(re.findall(r"\b(?:from|join)\s+(\w+)\b", code))
    return (calls | reads) & NAMES


@pytest.mark.parametrize("one", FILES, ids=lambda one: one.name)
def test_a_file_needs_what_its_text_refers_to(one: Definition):
    assert list(one.needs) == sorted(referred_to(one.text) - set(one.makes))


def test_a_file_is_named_after_the_last_thing_that_it_makes():
    assert [one.name for one in FILES] == [one.makes[-1] for one in FILES]


def test_no_name_is_made_twice():
    made = [name for one in FILES for name in one.makes]
    assert sorted(made) == sorted(set(made))


def test_what_is_needed_comes_first():
    files = [
        definition("a", "-- One row is one thing.\n-- needs: b, given\ncreate or replace view a as from b;"),
        definition("b", "-- needs: c\ncreate or replace view b as from c;"),
        definition("c", "create or replace view c as select 1;\n-- needs: a"),
    ]
    assert [one.name for one in in_order(files, ["given"])] == ["c", "b", "a"]


def test_a_list_of_needs_may_take_several_lines():
    assert definition("a", "-- needs: b, c\n-- needs: d\nselect 1").needs == ("b", "c", "d")


def test_a_name_that_nothing_makes_is_told_with_the_file_that_needs_it():
    with pytest.raises(ValueError, match=r"^a\.sql needs metrcs, which no file of macros or views makes\.$"):
        in_order([definition("a", "-- needs: metrcs\ncreate or replace view a as from metrcs;")])


def test_files_that_need_each_other_are_named():
    files = [definition(one, f"-- needs: {other}\ncreate or replace view {one} as from {other};") for one, other in
             (("a", "b"), ("b", "c"), ("c", "a"))]  # fmt: skip
    with pytest.raises(ValueError, match=r"^Files that need each other: \w needs \w needs \w needs \w\.$"):
        in_order(files)


@pytest.mark.parametrize(
    ("written", "where"),
    [
        (r"\b1\.9[56]\d*", {"z95"}),
        (r"\blgamma\(", {"mcnemar_p"}),
        (r"\b1 \+ tests - place|\+ count\(\*\) over", {"holm_step"}),
        (r"3\.52624965998911e-2", {"normal_p"}),
    ],
)
def test_a_statistic_is_written_once(written: str, where: set[str]):
    folders = ("macros", "views", "studies", "queries", "saved")
    files = [file for folder in folders for file in (statements.SQL / folder).rglob("*.sql")]
    assert {file.stem for file in files if re.search(written, file.read_text(encoding="utf-8"))} == where
