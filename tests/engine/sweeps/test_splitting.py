"""Runs are split by their levels, and the longest tasks by themselves, so that no card idles long at the end."""

from __future__ import annotations

import random
from typing import Any

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.planning.task_index import TaskEntry
from engine.runs.past import Past
from engine.sweeps.expected import Cost, expected_cost
from engine.sweeps.splitting import in_order, split
from warehouse.records.level import parse_levels


def plan(name: str, levels: str, sweep: str | None = None, tasks: str = "piqa", **more) -> RunPlan:
    specs = tuple(map(TaskSpec, tasks.split(",")))
    return RunPlan(name=name, model=name, levels=tuple(parse_levels(levels)), tasks=specs, sweep=sweep, **more)


def told(plans: list[RunPlan]) -> list[tuple[str, str]]:
    return [(one.model, ",".join(map(str, one.levels))) for one in plans]


def with_tasks(plans: list[RunPlan]) -> list[tuple[str, str]]:
    return [(",".join(map(str, one.levels)), ",".join(map(str, one.tasks))) for one in plans]


def seconds(each: float, startup: float | None = None) -> Cost:
    return Cost(startup, (each,))


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


def test_no_more_pieces_than_cells():
    assert told(split([plan("a", "0,20")], 8, [None])) == [("a", "0"), ("a", "20")]
    only = [plan("a", "0")]
    assert split(only, 8, [None]) == only


def test_the_longest_run_is_split_first():
    parts = split([plan("a", "0,20,40", "s"), plan("b", "0,20,40", "s")], 3, [seconds(3), seconds(33)])
    assert told(parts) == [("a", "0,20,40"), ("b", "0"), ("b", "20,40")]
    assert {one.sweep for one in parts} == {"s"}


def test_what_no_earlier_run_tells_counts_as_the_others_or_by_its_levels():
    assert told(split([plan("a", "0,20,40", "s"), plan("b", "0,20", "s")], 3, [None, seconds(1)])) == [
        ("a", "0"), ("a", "20,40"), ("b", "0,20"),
    ]  # fmt: skip
    assert told(split([plan("a", "0,20", "s"), plan("b", "0,20,40", "s")], 3, [None, None]))[0] == ("a", "0,20")


def test_a_single_level_is_split_by_its_tasks_and_the_longest_is_by_itself():
    only = plan("a", "0", tasks="piqa,mmlu,boolq", suite="own")
    parts = split([only], 2, [Cost(10, (100, 300, 50))])  # 310 and 160 seconds; any other way ends later
    assert sorted(with_tasks(parts)) == [("0", "mmlu"), ("0", "piqa,boolq")]
    assert {one.name for one in parts} == {"a mmlu", "a piqa and 1 more"}
    assert {one.suite for one in parts} == {None}


def test_levels_that_do_not_come_out_even_are_made_so_by_tasks():
    # Seven levels of 80 seconds: by levels alone one card ends after 330 seconds and the other after 250.
    parts = split([plan("a", "0,10,20,30,40,50,60", tasks="x,y")], 2, [Cost(10, (40, 40))])
    assert with_tasks(parts) == [("0,10,20,30,40,50,60", "y"), ("0,10,20,30,40,50,60", "x")]
    # On seven cards they do.
    parts = split([plan("a", "0,10,20,30,40,50,60", tasks="x,y")], 7, [Cost(10, (40, 40))])
    assert with_tasks(parts) == [(level, "x,y") for level in ("0", "10", "20", "30", "40", "50", "60")]


def test_more_runs_than_cards_are_split_where_one_would_idle_for_long():
    plans = [plan(name, "0,20,40", "s") for name in "abc"]
    parts = split(plans, 2, [seconds(100, startup=10)] * 3)  # 310 each: 620 and 310; with one in two 420 and 520
    assert len(parts) == 4
    assert split(plans, 2, [seconds(1, startup=1000)] * 3) == plans  # starting once more would take longer


def test_pieces_have_every_cell_once_and_end_near_the_best_there_could_be():
    draw = random.Random(7)
    for _ in range(60):
        tasks = [f"t{number}" for number in range(draw.randint(2, 9))]
        levels = ",".join(map(str, range(0, 10 * draw.randint(1, 7), 10)))
        whole = plan("a", levels, tasks=",".join(tasks))
        cost = Cost(0.5, tuple(draw.uniform(1, 30) for _ in tasks))
        places = draw.randint(2, 8)
        parts = split([whole], places, [cost])
        cells = [(str(level), task.name) for part in parts for level in part.levels for task in part.tasks]
        assert sorted(cells) == sorted((str(level), task) for level in whole.levels for task in tasks)
        times = dict(zip(tasks, cost.tasks, strict=True))
        free = [0.0] * places
        for part in in_order(parts, [_takes(part, times) for part in parts], places):
            free[free.index(min(free))] += _takes(part, times)
        longest_cell = max(cost.tasks) + 0.5
        bound = sum(cost.tasks) * len(whole.levels) / places
        assert max(free) <= max(bound * 1.3, bound + longest_cell), (places, levels, cost)


def _takes(part: RunPlan, times: dict[str, float]) -> float:
    return 0.5 + len(part.levels) * sum(times[task.name] for task in part.tasks)


def test_a_run_that_is_calibrated_or_measures_damage_is_split_by_levels_alone():
    """The text leaves out what the run's own tasks ask: with other tasks, neurons would be looked at on another."""
    cost = [Cost(10, (100, 300))]
    ways: list[dict[str, Any]] = [{"repair": "lsq"}, {"damage": True}]
    for own in ways:
        one = plan("a", "20", tasks="x,y", **own)
        assert split([one], 2, cost) == [one]
        parts = split([plan("a", "0,20,40", tasks="x,y", **own)], 2, cost)
        assert with_tasks(parts) == [("0", "x,y"), ("20,40", "x,y")]


def test_a_group_takes_as_long_as_its_tasks_and_what_is_not_told_as_long_as_the_others():
    index = {"mmlu": TaskEntry("mmlu", "group", ("mmlu_a", "mmlu_b"))}
    past = Past({("a", "mmlu_a", None): 2.0, ("a", "mmlu_b", None): 4.0}, {"a": 7.0}, {})
    assert expected_cost(plan("a", "0", tasks="mmlu,new"), past, index) == Cost(7.0, (6.0, 3.0))
    assert expected_cost(plan("b", "0"), past, index) is None


def test_unpruned_levels_come_first_then_the_longest():
    plans = [plan("a", "20"), plan("b", "40"), plan("c", "0"), plan("d", "60")]
    assert [one.model for one in in_order(plans, [1.0, 3.0, 1.0, None], 2)] == ["c", "b", "a", "d"]


def test_on_an_only_place_models_follow_one_another():
    plans = [plan("a", "20"), plan("b", "40"), plan("a", "0"), plan("b", "0"), plan("a", "60")]
    assert [str(one.levels[0]) for one in in_order(plans, [1.0, 9.0, 2.0, 9.0, 5.0], 1)] == ["0", "60", "20", "0", "40"]
