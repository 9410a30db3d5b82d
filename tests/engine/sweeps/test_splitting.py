"""Fewer runs than cards are split by their levels."""

from __future__ import annotations

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.sweeps.splitting import in_order, split
from warehouse.records.level import parse_levels


def plan(name: str, levels: str, sweep: str | None = None) -> RunPlan:
    tasks = (TaskSpec("piqa"),)
    return RunPlan(name=name, model=name, levels=tuple(parse_levels(levels)), tasks=tasks, sweep=sweep)


def told(plans: list[RunPlan]) -> list[tuple[str, str]]:
    return [(one.model, ",".join(map(str, one.levels))) for one in plans]


def test_as_many_runs_as_cards_are_left_as_they_are():
    plans = [plan("a", "0,20"), plan("b", "0,20")]
    assert split(plans, 2, [None, None]) == plans
    assert split(plans, 1, [None, None]) == plans


def test_a_run_for_two_cards_has_the_unpruned_level_first_and_in_the_shorter_part():
    parts = split([plan("a", "20,0,40,60,2.4x")], 2, [None])
    assert told(parts) == [("a", "0,20"), ("a", "40,60,2.4x")]
    assert [one.name for one in parts] == ["a level 0,20", "a level 40,60,2.4x"]
    [sweep] = {(one.sweep, one.sweep_name) for one in parts}
    assert sweep[0] is not None
    assert sweep[1] == "a"


def test_no_more_pieces_than_levels():
    assert told(split([plan("a", "0,20")], 8, [None])) == [("a", "0"), ("a", "20")]
    only = [plan("a", "0")]
    assert split(only, 8, [None]) == only


def test_the_longest_run_is_split_first():
    parts = split([plan("a", "0,20,40", "s"), plan("b", "0,20,40", "s")], 3, [10.0, 100.0])
    assert told(parts) == [("a", "0,20,40"), ("b", "0"), ("b", "20,40")]
    assert {one.sweep for one in parts} == {"s"}


def test_what_no_earlier_run_tells_counts_as_the_others_or_by_its_levels():
    assert told(split([plan("a", "0,20,40", "s"), plan("b", "0,20", "s")], 3, [None, 1.0])) == [
        ("a", "0"), ("a", "20,40"), ("b", "0,20"),
    ]  # fmt: skip
    assert told(split([plan("a", "0,20", "s"), plan("b", "0,20,40", "s")], 3, [None, None]))[0] == ("a", "0,20")


def test_unpruned_levels_come_first_then_the_longest():
    plans = [plan("a", "20"), plan("b", "40"), plan("c", "0"), plan("d", "60")]
    assert [one.model for one in in_order(plans, [1.0, 3.0, 1.0, None])] == ["c", "b", "a", "d"]
