"""Whatever an import would replace, it says; and nothing else keeps a number from being the current one."""

from __future__ import annotations

import pytest
from cases import one_in

from warehouse.importers import WouldReplaceError, import_path

CURRENT = "select value from current_metrics order by all"
LATER = 1.8e9


@pytest.fixture
def measured(database, write):
    import_path(database, write("base.json"))
    return write


def test_a_later_number_of_the_same_thing_is_told_and_not_taken(database, measured, ask):
    later = measured("later.json", {"hellaswag": {"acc,none": 0.46}}, date=LATER)
    with pytest.raises(
        WouldReplaceError, match=r"hellaswag acc of org/small, unpruned: 0.5 .*by 0.46 .*--replace"
    ) as told:
        import_path(database, later)
    [one] = told.value.replaced
    assert (one.before.value, one.after.value, one.differs) == (0.5, 0.46, ())
    assert ask(CURRENT) == [(0.5,)]
    assert ask("select count(*) from runs") == [(1,)]


def test_it_is_taken_where_the_caller_says_so(database, measured, ask):
    later = measured("later.json", {"hellaswag": {"acc,none": 0.46}}, date=LATER)
    report = import_path(database, later, replace_values=True)
    assert [one.before.value for one in report.replaced] == [0.5]
    assert ask(CURRENT) == [(0.46,)]


@pytest.mark.slow
@pytest.mark.parametrize("changed", [{"n": 7}, {"config": {"model_sha": "def"}}], ids=["documents", "revision"])
def test_another_number_of_documents_or_revision_is_another_measurement(database, measured, ask, changed):
    later = measured("later.json", {"hellaswag": {"acc,none": 0.46}}, date=LATER, **changed)
    assert import_path(database, later).replaced == ()
    assert ask(CURRENT) == [(0.46,), (0.5,)]


def test_another_version_of_lm_eval_is_told(database, measured, ask):
    later = measured("later.json", {"hellaswag": {"acc,none": 0.46}}, date=LATER, lm_eval_version="0.4.13")
    with pytest.raises(WouldReplaceError, match="another lm-eval version") as told:
        import_path(database, later)
    assert [one.differs for one in told.value.replaced] == [("lm-eval version",)]
    assert ask(CURRENT) == [(0.5,)]


@pytest.mark.parametrize(
    "changed",
    one_in(
        7,
        [
            {"config": {"model_args": "pretrained=org/small,peft=./lora"}},
            {"config": {"model_args": "pretrained=org/small,load_in_4bit=True"}},
            {"config": {"gen_kwargs": {"temperature": 1.0, "do_sample": True}}},
            {"config": {"fewshot_seed": 7}},
            {"config": {"limit": 50}},
            {"chat_template": "{{ x }}"},
            {"shots": 5},
        ],
    ),
    ids=["adapter", "quantised", "sampled", "seed", "limit", "chat template", "shots"],
)
def test_what_was_measured_otherwise_replaces_nothing(database, measured, ask, changed):
    report = import_path(database, measured("later.json", {"hellaswag": {"acc,none": 0.46}}, date=LATER, **changed))
    assert report.replaced == ()
    assert ask(CURRENT) == [(0.46,), (0.5,)]


def test_what_was_measured_before_replaces_nothing(database, measured, ask):
    assert import_path(database, measured("earlier.json", {"hellaswag": {"acc,none": 0.4}}, date=1.6e9)).replaced == ()
    assert ask(CURRENT) == [(0.5,)]


def test_the_same_number_once_more_replaces_nothing(database, measured):
    assert import_path(database, measured("again.json", date=LATER)).replaced == ()


def test_a_number_without_the_samples_that_the_other_has_is_told(database, write, choice_sample):
    write()
    write.samples("hellaswag", [choice_sample(0, (-1, -2), (" a", " b"))])
    import_path(database, write.folder)
    with pytest.raises(WouldReplaceError):
        import_path(database, write("again.json", date=LATER))


def test_a_run_of_our_own_is_not_replaced_silently(database, write, new_run, merged, metric):
    run = new_run("own")
    run.start(model="org/small", weights=None, conditions={"documents": "all", "dtype": "float32"})
    run.cell("0", "hellaswag", metrics=[metric("acc", 0.6, n=100)], version="1.0")
    merged(run)
    with pytest.raises(WouldReplaceError, match=r"0\.6 \(100 documents, run own\) by 0\.5"):
        import_path(database, write(date=LATER))


def test_of_many_numbers_three_are_named(database, write):
    import_path(database, write("base.json", {f"task{i}": {"acc,none": 0.5} for i in range(9)}))
    later = write("later.json", {f"task{i}": {"acc,none": 0.4} for i in range(9)}, date=LATER)
    with pytest.raises(WouldReplaceError, match=r"9 numbers.*task0.*task1.*task2.*and 6 more"):
        import_path(database, later)


def test_a_pruned_level_is_told_as_one(database, write):
    import_path(database, write("p40.json"), model="org/small", level=40, method="maw")
    later = write("later.json", {"hellaswag": {"acc,none": 0.4}}, date=LATER)
    with pytest.raises(WouldReplaceError, match=r"hellaswag acc of org/small, at level 40: 0.5"):
        import_path(database, later, model="org/small", level=40, method="maw")


@pytest.mark.slow
def test_an_adapters_scores_are_no_baseline(database, write, ask):
    """A LoRA of the model measured later became its baseline: a loss of 9 % turned into a gain of 25 %."""
    import_path(database, write("base.json", {"hellaswag": {"acc_norm,none": 0.55}}))
    import_path(database, write("p40.json", {"hellaswag": {"acc_norm,none": 0.5}}, date=1.72e9), model="org/small",
                level=40, method="maw")  # fmt: skip
    lora = {"model_args": "pretrained=org/small,peft=./adapters/medical-lora"}
    import_path(database, write("peft.json", {"hellaswag": {"acc_norm,none": 0.4}}, config=lora, date=1.71e9,
                                model_name="./adapters/medical-lora"))  # fmt: skip
    assert ask("select model, value, baseline from baseline_deltas") == [("org/small", 0.5, 0.55)]
