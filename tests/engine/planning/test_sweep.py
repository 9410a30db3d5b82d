"""From one plan to a run for each method and repair."""

from __future__ import annotations

import pytest

from engine.errors import UserError
from engine.planning.choices import OPTIONS, chosen_methods, chosen_repairs
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.planning.sweep import spread
from warehouse.records.level import parse_levels


def plan(**changes) -> RunPlan:
    given = {"name": "demo", "model": "demo", "levels": tuple(parse_levels("0,40")), "tasks": (TaskSpec("piqa", 0),)}
    return RunPlan(**given | changes)


def levels(plan: RunPlan) -> list[str]:
    return [str(level) for level in plan.levels]


def test_one_way_of_pruning_is_one_plan_as_it_was():
    assert spread([plan()], ["maw"], ["none"]) == [plan()]


def test_each_method_and_repair_is_a_run_that_its_name_tells():
    plans = spread([plan()], ["maw", "l2"], ["none", "lsq"])
    assert [(one.name, one.method, one.repair) for one in plans] == [
        ("demo maw", "maw", "none"),
        ("demo maw+lsq", "maw", "lsq"),
        ("demo l2", "l2", "none"),
        ("demo l2+lsq", "l2", "lsq"),
    ]
    [sweep] = {one.sweep for one in plans}
    assert sweep is not None


def test_the_unpruned_level_is_measured_in_a_models_first_run_alone():
    plans = spread([plan(), plan(model="other", name="other")], ["maw", "l2"], ["none"])
    assert [(one.model, levels(one)) for one in plans] == [
        ("demo", ["0", "40"]), ("demo", ["40"]), ("other", ["0", "40"]), ("other", ["40"]),
    ]  # fmt: skip
    assert len({one.sweep for one in plans}) == 1


def test_another_sweep_has_another_id():
    first, second = (spread([plan()], ["maw", "l2"], ["none"])[0].sweep for _ in range(2))
    assert first != second


def test_a_run_that_looks_at_no_text_names_none():
    plain, repaired = spread([plan(calibration="self", calibration_tokens=5000)], ["maw"], ["none", "lsq"])
    assert (plain.calibration, plain.calibration_tokens) == (None, None)
    assert (repaired.calibration, repaired.calibration_tokens) == ("self", 5000)


@pytest.mark.parametrize("named", [{"calibration": "self"}, {"calibration_tokens": 5}, {"calibration_length": 5}])
def test_a_text_that_nothing_looks_at_is_refused(named):
    with pytest.raises(UserError, match="maw and l2 without repair looks at none"):
        spread([plan(**named)], ["maw", "l2"], ["none"])


def test_level_0_alone_is_no_sweep():
    with pytest.raises(UserError, match="Level 0 alone is the same for every method and repair"):
        spread([plan(levels=tuple(parse_levels("0")))], ["maw"], ["none", "lsq"])


def test_methods_and_repairs_are_read_from_lists_in_any_case():
    assert chosen_methods("MAW, l2", OPTIONS) == ("maw", "l2")
    assert chosen_repairs("none,LSQ", OPTIONS) == ("none", "lsq")


@pytest.mark.parametrize(
    ("choose", "text", "said"),
    [
        (chosen_methods, "magic", "--method: There is no pruning method 'magic'"),
        (chosen_methods, " ,", "No method was given: choose one with --method"),
        (chosen_methods, "maw,MAW", "The method maw is given more than once"),
        (chosen_repairs, "glue", "There is no repair 'glue': choose none or lsq"),
        (chosen_repairs, "", "No repair was given"),
        (chosen_repairs, "lsq,lsq", "The repair lsq is given more than once"),
    ],
)
def test_what_is_no_list_of_them_is_named(choose, text, said):
    with pytest.raises(UserError, match=said):
        choose(text, OPTIONS)
