"""The one grid of benchmark × level: its order, its places, and what a change is."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from warehouse.read.grid import Benchmark, Cell, Entry, Width, change, is_better, results

PIQA = Benchmark("piqa", "acc", "none", 0, "1", "PIQA", "score", position=6)
MINE = Benchmark("mine", "acc", "none", None, None, "mine", "score", position=1000)
UNPRUNED = Width("id", "org/Tiny", "maw", None, "0", 0.0, 100, unpruned=True)
AT_40 = Width("id", "org/Tiny", "maw", None, "40", 40.0, 60, unpruned=False)


def test_benchmarks_stand_in_the_studys_order_and_widths_from_the_unpruned_one_down() -> None:
    at_20 = replace(AT_40, level="20", pruning_pct=20.0, intermediate_size=80)
    other = replace(AT_40, model="org/Small", model_id="other")
    entries = [Entry(one, width, Cell(value=0.5)) for one in (MINE, PIQA) for width in (AT_40, UNPRUNED, other)]
    grid = results(entries, planned=[at_20])
    assert grid.rows == (PIQA, MINE)
    assert [(width.model, width.label) for width in grid.columns] == [
        ("org/Small", "40%"),
        ("org/Tiny", "unpruned"),
        ("org/Tiny", "20%"),
        ("org/Tiny", "40%"),
    ]


def test_a_planned_width_that_was_measured_stands_there_once() -> None:
    grid = results([Entry(PIQA, AT_40, Cell(value=0.5))], planned=[replace(AT_40, level="w60"), UNPRUNED])
    assert [width.level for width in grid.columns] == ["0", "40"]
    assert grid.at(PIQA, AT_40) == Cell(value=0.5)
    assert grid.missing() == [(PIQA, UNPRUNED)]


def test_what_one_run_knows_of_a_width_and_another_does_not_makes_no_second_column() -> None:
    known = replace(AT_40, parameters=1000, expansion_ratio=2.4)
    assert results([Entry(PIQA, AT_40, Cell()), Entry(MINE, known, Cell())]).columns == (AT_40,)


def test_a_row_of_a_query_gives_a_cell_with_its_place_and_back() -> None:
    record = {
        "task": "piqa", "metric": "acc", "filter": "none", "num_fewshot": 0, "version": "1", "benchmark": "PIQA",
        "kind": "score", "position": 6, "model_id": "id", "model": "org/Tiny", "method": "maw", "conditions": None,
        "level": "40", "pruning_pct": 40.0, "intermediate_size": 60, "unpruned": False, "value": 0.5, "p_holm": 0.01,
    }  # fmt: skip
    entry = Entry.of(record)
    assert (entry.benchmark, entry.width, entry.cell.value, entry.cell.p_holm) == (PIQA, AT_40, 0.5, 0.01)
    facts = entry.facts()
    assert {name: facts[name] for name in record} == record
    assert facts["subject"] == "id|maw|none|"


@pytest.mark.parametrize(
    ("value", "baseline", "told"), [(0.3, 0.4, (-0.1, -25.0)), (1.0, -2.0, (3.0, 150.0)), (1.0, 0.0, (1.0, None))]
)
def test_a_change_is_told_in_percent_of_the_size_of_its_baseline(value: float, baseline: float, told: tuple) -> None:
    delta, delta_pct = change(value, baseline)
    assert delta == pytest.approx(told[0])
    assert delta_pct == (None if told[1] is None else pytest.approx(told[1]))


def test_better_is_up_or_down_by_the_metric_and_unknown_without_a_direction() -> None:
    assert is_better(0.1, True)
    assert is_better(-0.1, False)
    assert is_better(0.0, True) is False
    assert is_better(math.nan, None) is None


def test_a_width_is_the_same_by_its_size_or_where_that_is_not_known_by_its_percentage() -> None:
    by_size = replace(AT_40, level="w60", pruning_pct=40.1, expansion_ratio=2.4)
    unknown, farther = (replace(AT_40, intermediate_size=None, pruning_pct=pct) for pct in (40.0, 40.1))
    assert AT_40.exact == by_size.exact == ("id|maw|none|", False, 60, None)
    assert unknown.exact == ("id|maw|none|", False, None, 40.0)
    assert farther.exact == ("id|maw|none|", False, None, 40.1)
    assert replace(AT_40, unpruned=True).exact == ("id|maw|none|", True, 60, None)


def test_a_metric_is_named_with_its_filter_unless_that_is_none() -> None:
    assert PIQA.metric_name == "acc"
    assert replace(PIQA, filter="strict").metric_name == "acc, strict"


def test_places_of_equal_rank_go_by_what_is_left() -> None:
    """Benchmarks by position, task and shots, without a position last; widths by what they are of, then by size."""
    benchmarks = [
        replace(PIQA, task=task, position=position, num_fewshot=shots)
        for position, task, shots in ((6, "a", None), (6, "a", 5), (6, "b", 0), (7, "aa", 0), (None, "aaa", 0))
    ]
    widths = [
        replace(AT_40, model=model, model_id=model, method=method, conditions=conditions, intermediate_size=size)
        for model, method, conditions, size in (
            ("a", "a", None, 61), ("a", "a", None, 60), ("a", "a", None, None), ("a", "a", "x", 60),
            ("a", "b", None, 60), ("b", "a", None, 60),
        )
    ]  # fmt: skip
    entries = [Entry(one, width, Cell()) for one in reversed(benchmarks) for width in reversed(widths)]
    grid = results(entries)
    assert grid.rows == tuple(benchmarks)
    assert grid.columns == tuple(widths)
    assert grid.missing() == []


def test_a_change_of_nothing_is_no_change() -> None:
    assert change(0.4, 0.4) == (0.0, 0.0)
    assert is_better(0.0, False) is False
    assert is_better(-0.1, True) is False
    assert is_better(0.1, False) is False
