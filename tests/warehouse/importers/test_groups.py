"""A group has its parts' shots and documents, whatever lm-eval's version wrote of it."""

from __future__ import annotations

import pytest

from warehouse.importers import import_path
from warehouse.importers.groups import DIFFERENT, Groups

SUBTASKS = {"mmlu_stem": ["mmlu_anatomy"], "mmlu_other": ["mmlu_virology"], "mmlu": ["mmlu_stem", "mmlu_other"]}
GROUPS = ("mmlu", "mmlu_stem", "mmlu_other")


def mmlu(write, name, shots, acc, *, date=1.7e9, **fields):
    results = {task: {"acc,none": acc, "acc_stderr,none": 0.01, "alias": task} for task in GROUPS}
    results |= {task: {"acc,none": acc, "acc_stderr,none": 0.04} for task in ("mmlu_anatomy", "mmlu_virology")}
    return write(name, results, **{
        "groups": {task: results[task] for task in GROUPS},
        "group_subtasks": SUBTASKS,
        "n-shot": {"mmlu_anatomy": shots[0], "mmlu_virology": shots[1]},
        "n-samples": {"mmlu_anatomy": {"original": 135, "effective": 135},
                      "mmlu_virology": {"original": 166, "effective": 166}},
        "date": date,
    } | fields)  # fmt: skip


@pytest.mark.slow
def test_groups_of_other_shots_are_not_compared(database, write, ask):
    """Since 0.4.3 lm-eval leaves groups out of n-shot: a 0-shot baseline against 5 shots was a gain of 10 %."""
    import_path(database, mmlu(write, "base.json", (0, 0), 0.30))
    import_path(database, mmlu(write, "p40.json", (5, 5), 0.33, date=1.71e9), model="org/small", level=40, method="maw")
    assert set(ask("select task, num_fewshot, delta from baseline_deltas")) == {
        (task, 5, None) for task in (*GROUPS, "mmlu_anatomy", "mmlu_virology")
    }


@pytest.mark.slow
def test_groups_of_equal_shots_are_compared(database, write, ask):
    import_path(database, mmlu(write, "base.json", (5, 5), 0.30))
    import_path(database, mmlu(write, "p40.json", (5, 5), 0.33, date=1.71e9), model="org/small", level=40, method="maw")
    assert ask("select count(*), min(delta), max(delta) from baseline_deltas") == [
        (5, pytest.approx(0.03), pytest.approx(0.03))
    ]


def test_a_group_that_was_written_with_zero_shots_has_its_parts(database, write, ask):
    """0.4.0 to 0.4.2 wrote 0 for groups, whose parts are told by how names are indented."""
    aliases = {
        "mmlu": "mmlu", "mmlu_stem": " - mmlu_stem", "mmlu_anatomy": "  - mmlu_anatomy", "mmlu_other": " - mmlu_other",
        "mmlu_virology": "  - mmlu_virology", "piqa": "piqa",
    }  # fmt: skip
    results = {task: {"acc,none": 0.3, "alias": alias} for task, alias in aliases.items()}
    shots = dict.fromkeys(GROUPS, 0) | {"mmlu_anatomy": 5, "mmlu_virology": 5, "piqa": 0}
    path = write(results=results, groups={task: results[task] for task in GROUPS}, **{
        "group_subtasks": None, "n-shot": shots, "n-samples": None,
    })  # fmt: skip
    import_path(database, path)
    assert dict(ask("select task, num_fewshot from current_metrics")) == dict.fromkeys(aliases, 5) | {"piqa": 0}
    assert dict(ask("select task, part_of from metrics where part_of is not null")) == {
        "mmlu_stem": "mmlu", "mmlu_other": "mmlu", "mmlu_anatomy": "mmlu_stem", "mmlu_virology": "mmlu_other",
    }  # fmt: skip


def test_parts_that_differ_in_shots_give_the_group_none_of_them(database, write, ask):
    import_path(database, mmlu(write, "base.json", (0, 5), 0.30))
    assert dict(ask("select task, num_fewshot from current_metrics")) == {
        "mmlu": DIFFERENT, "mmlu_stem": 0, "mmlu_other": 5, "mmlu_anatomy": 0, "mmlu_virology": 5,
    }  # fmt: skip


def test_a_group_has_as_many_documents_as_its_parts(database, write, ask):
    import_path(database, mmlu(write, "base.json", (0, 0), 0.30))
    assert dict(ask("select task, n from current_metrics where is_group")) == {
        "mmlu": 301, "mmlu_stem": 135, "mmlu_other": 166,
    }  # fmt: skip


def test_what_is_unknown_of_a_part_is_unknown_of_the_group():
    groups = Groups({"both": ("one", "two")})
    assert groups.num_fewshot("both", {"one": 5}) is None
    assert groups.documents("both", {"one": 10}) is None


def test_a_group_that_contains_itself_ends():
    groups = Groups({"a": ("b",), "b": ("a", "task")})
    assert groups.tasks("a") == ("task",)
    assert groups.bottom_up(["a", "b", "task"])
