"""Like is compared with like: what a measurement is of, column by column, and what follows for every table."""

from __future__ import annotations

import json

import pytest
from cases import one_in

from warehouse.exporters.delta_markdown import markdown
from warehouse.merging.delete_run import delete_run
from warehouse.read.deltas import read_deltas
from warehouse.records.conditions import Conditions
from warehouse.store import db, identity, old_runs

DELTAS = "select run_id, value, baseline, baseline_run_id, conditions from baseline_deltas order by run_id, pruning_pct"
KNOWN = Conditions(
    documents="all", dtype="float32", seeds="0,1234,1234,1234", chat_template=False, system_prompt="",
    fewshot_as_multiturn=False, generation="", quantization="", adapter="", model_args="",
).to_dict()  # fmt: skip
PLAIN = "all documents, float32"


def built(run, task="arc", *, version="1", **hashes):
    about = {"requests_hash": None, "questions_hash": None, "tokens_hash": None} | hashes
    run.line(
        "task", task=task, part_of=None, version=version, output_type="multiple_choice", num_fewshot=0, n_docs=10,
        n_requests=40, dataset=task, dataset_fingerprint="f", **about,
    )  # fmt: skip


@pytest.fixture
def measured(new_run, merged):
    """A run of one task: its scores by level, and whatever else is special about it."""

    def measure(run_id, scores, *, conditions=KNOWN, hashes=None, t=0.0, cell=None, **start):
        run = new_run(run_id)
        run.start(conditions=conditions, dtype=conditions.get("dtype") if isinstance(conditions, dict) else "float32",
                  t=t, **start)  # fmt: skip
        if hashes:
            built(run, **hashes)
        for level, score in scores.items():
            run.cell(level, "arc", score, t=t, **(cell or {}))
        merged(run)
        return run

    return measure


# The same task with other questions


@pytest.mark.parametrize("name", ["requests_hash", "questions_hash", "tokens_hash"])
def test_other_questions_of_a_later_run_displace_nothing(measured, ask, name):
    measured("r1", {"0": 0.6, "20": 0.56}, hashes={name: "aaaa"})
    measured("r2", {"0": 0.5, "20": 0.6}, hashes={name: "bbbb"}, t=9)
    other = f"{PLAIN}, other {'tokens' if name == 'tokens_hash' else 'questions'} (bbbb)"
    assert ask(DELTAS) == [("r1", 0.56, 0.6, "r1", PLAIN), ("r2", 0.6, 0.5, "r2", other)]


def test_a_width_with_other_questions_has_no_baseline_of_another_run(measured, ask):
    measured("r1", {"0": 0.6, "20": 0.56}, hashes={"questions_hash": "aaaa"})
    measured("r2", {"40": 0.6}, hashes={"questions_hash": "bbbb"}, t=9)
    assert ask(DELTAS)[1][:4] == ("r2", 0.6, None, None)


@pytest.mark.slow
def test_it_says_so_in_a_sentence(measured, database, ask):
    measured("r1", {"0": 0.6, "20": 0.56}, hashes={"questions_hash": "aaaa"})
    measured("r2", {"40": 0.6}, hashes={"questions_hash": "bbbb"}, t=9)
    said = "arc was asked otherwise than in the first run of this model: not compared with it"
    assert ask("select footnote from current_metrics where run_id = 'r2'") == [(said,)]
    assert said in markdown(read_deltas(database, model="Tiny"))


def test_questions_that_one_side_does_not_know_are_compared(measured, ask):
    measured("r1", {"0": 0.6}, hashes={"questions_hash": "aaaa"})
    measured("r2", {"20": 0.5}, hashes={}, t=9)
    assert ask(DELTAS) == [("r2", 0.5, 0.6, "r1", PLAIN)]


@pytest.mark.slow
def test_questions_that_fit_two_sets_are_a_column_of_their_own(measured, ask):
    measured("r1", {"0": 0.6}, hashes={"questions_hash": "aaaa"})
    measured("r2", {"0": 0.7}, hashes={"questions_hash": "bbbb"}, t=1)
    measured("r3", {"20": 0.5}, t=9)
    assert ask(DELTAS) == [("r3", 0.5, None, None, f"{PLAIN}, questions not known")]
    assert "2 sets of questions fit" in ask("select footnote from current_metrics where run_id = 'r3'")[0][0]


def test_our_hashes_and_those_of_imports_say_nothing_of_each_other(measured, ask):
    measured("r1", {"0": 0.6}, hashes={"requests_hash": "aaaa"})
    measured("r2", {"20": 0.5}, hashes={"requests_hash": "lm-eval bbbb"}, t=9)
    assert ask(DELTAS) == [("r2", 0.5, 0.6, "r1", PLAIN)]


@pytest.mark.slow
def test_fewer_documents_are_other_questions(measured, ask, metric):
    measured("r1", {"0": 0.6, "20": 0.5}, conditions=KNOWN | {"documents": None})
    measured("r2", {"0": None}, conditions=KNOWN | {"documents": None}, t=9,
             cell={"metrics": [metric("acc", 0.1, n=7)]})  # fmt: skip
    assert ask(DELTAS) == [("r1", 0.5, 0.6, "r1", "float32")]
    assert ask("select value, conditions from current_metrics where run_id = 'r2'") == [(0.1, "float32, 7 documents")]


def test_the_baseline_of_the_same_run_comes_first(measured, ask):
    measured("r1", {"0": 0.6, "20": 0.5})
    measured("r2", {"0": 0.7}, t=9)
    assert ask(DELTAS) == [("r1", 0.5, 0.6, "r1", PLAIN)]
    assert ask("select value, run_id from current_metrics where unpruned") == [(0.7, "r2")]


@pytest.mark.slow
def test_groups_are_asked_what_their_parts_are_asked(new_run, merged, ask):
    for run_id, asked, t in (("r1", "aaaa", 0), ("r2", "bbbb", 9)):
        run = new_run(run_id)
        run.start(conditions=KNOWN, t=t)
        built(run, "part_a", requests_hash="same")
        built(run, "part_b", requests_hash=asked)
        for level in ("0", "20") if run_id == "r1" else ("20",):
            run.cell(level, "part_a", 0.5, part_of="both", t=t)
            run.cell(level, "part_b", 0.5, part_of="both", t=t)
            run.cell(level, "both", 0.5, is_group=True, t=t)
        merged(run)
    of_r2 = "select task, baseline from baseline_deltas where run_id = 'r2' order by task"
    assert ask(of_r2) == [("both", None), ("part_a", 0.5), ("part_b", None)]


# Another model


@pytest.mark.parametrize("edited", ["config", "tokenizer"])
def test_an_edited_config_or_tokenizer_makes_another_model(measured, ask, edited):
    original = {"config": "c1", "tokenizer": "t1"}
    measured("r1", {"0": 0.6, "40": 0.5}, **original)
    measured("r2", {"40": 0.4}, t=9, **original | {edited: "other"})
    assert ask(DELTAS) == [("r1", 0.5, 0.6, "r1", PLAIN), ("r2", 0.4, None, None, PLAIN)]
    assert ask("select count(distinct model_id) from run_models") == [(2,)]


@pytest.mark.slow
def test_runs_from_before_keep_their_model_and_a_later_one_joins_it(measured, ask):
    measured("old", {"0": 0.6})
    [(before,)] = ask("select model_id from run_models")
    measured("new", {"40": 0.5}, config="c1", tokenizer="t1", t=9)
    assert ask("select distinct model_id from run_models") == [(before,)]
    assert ask(DELTAS) == [("new", 0.5, 0.6, "old", PLAIN)]
    footnote = "taken to have the config.json and tokenizer of other runs, which it does not say"
    assert ask("select run_id, footnote from run_models order by run_id") == [("new", None), ("old", footnote)]


@pytest.mark.slow
def test_until_a_second_model_fits_as_well(measured, ask, database):
    measured("old", {"0": 0.6, "20": 0.55})
    [(before,)] = ask("select model_id from run_models")
    measured("new", {"40": 0.5}, config="c1", tokenizer="t1", t=5)
    measured("other", {"40": 0.4}, config="c2", tokenizer="t1", t=9)
    ids = dict(ask("select run_id, model_id from run_models"))
    assert ids["old"] == before
    assert len(set(ids.values())) == 3
    assert ask(DELTAS) == [
        ("new", 0.5, None, None, PLAIN), ("old", 0.55, 0.6, "old", PLAIN), ("other", 0.4, None, None, PLAIN),
    ]  # fmt: skip
    delete_run(database, "other")
    assert ask("select distinct model_id from run_models") == [(before,)]


@pytest.mark.slow
def test_the_last_run_of_a_model_can_be_taken_out(measured, ask, database):
    measured("r1", {"0": 0.6, "40": 0.5})
    measured("r2", {"0": 0.7}, weights="w2", t=9)
    delete_run(database, "r1")
    delete_run(database, "r2")
    for table in ("run_models", "run_identities", "task_identities", "cells"):
        assert ask(f"select count(*) from {table}") == [(0,)]


def test_other_weights_of_one_name_are_another_model(measured, ask):
    measured("r1", {"0": 0.6})
    measured("r2", {"40": 0.5}, weights="w2", t=9)
    assert ask(DELTAS) == [("r2", 0.5, None, None, PLAIN)]


# Other conditions


@pytest.mark.parametrize(
    ("other", "label"),
    one_in(
        2,
        [
            ({"documents": "100"}, "limit 100, float32"),
            ({"dtype": "bfloat16"}, "all documents, bfloat16"),
            ({"seeds": "0,1234,1234,7"}, "all documents, float32, seeds 0,1234,1234,7"),
            ({"seeds": "42,42,42,42"}, "all documents, float32, seed 42"),
            ({"chat_template": True, "chat_template_hash": "aa"}, "all documents, float32, chat template"),
            ({"system_prompt": "Be brief."}, 'all documents, float32, system instruction "Be brief."'),
            ({"generation": '{"temperature":1}'}, 'all documents, float32, generation {"temperature":1}'),
            ({"quantization": "load_in_4bit=True"}, "all documents, float32, load_in_4bit=True"),
            ({"adapter": "org/lora"}, "all documents, float32, adapter org/lora"),
            ({"model_args": "max_length=512"}, "all documents, float32, max_length=512"),
        ],
    ),
)
def test_every_column_keeps_measurements_apart(measured, ask, other, label):
    measured("r1", {"0": 0.6, "40": 0.5})
    measured("r2", {"0": 0.1}, conditions=KNOWN | other, t=9)
    assert ask(DELTAS) == [("r1", 0.5, 0.6, "r1", PLAIN)]
    assert ask("select distinct conditions from current_metrics where run_id = 'r2'") == [(label,)]


@pytest.mark.parametrize("name", one_in(3, sorted(set(KNOWN) - {"published"})))
def test_an_unknown_column_matches_and_is_noted(measured, ask, name):
    measured("r1", {"0": 0.6})
    measured("r2", {"40": 0.5}, conditions={key: value for key, value in KNOWN.items() if key != name}, t=9)
    assert ask(DELTAS) == [("r2", 0.5, 0.6, "r1", PLAIN)]
    assert "assumed as in other runs" in ask("select footnote from run_models where run_id = 'r2'")[0][0]


@pytest.mark.slow
def test_an_unknown_column_that_fits_two_sets_says_so(measured, ask):
    measured("r1", {"0": 0.6})
    measured("r2", {"0": 0.7}, conditions=KNOWN | {"dtype": "bfloat16"}, t=1)
    measured("r3", {"40": 0.5}, conditions=KNOWN | {"dtype": None}, t=9)
    assert ask(DELTAS) == [("r3", 0.5, None, None, "all documents, dtype not known")]


def test_two_chat_templates_are_told_apart_by_their_hashes(measured, ask):
    for run_id, template, t in (("r1", "a" * 64, 0), ("r2", "b" * 64, 9)):
        measured(run_id, {"0": 0.6}, conditions=KNOWN | {"chat_template": True, "chat_template_hash": template}, t=t)
    assert ask("select conditions from run_models order by run_id") == [
        ("all documents, float32, chat template",),
        ("all documents, float32, chat template, chat template bbbbbbbb",),
    ]


# Weights that another program's file does not say


def test_a_result_without_a_hash_of_weights_meets_those_of_its_name(measured, ask):
    measured("ours", {"0": 0.6}, config="c1", tokenizer="t1")
    measured("theirs", {"40": 0.5}, weights=None, t=9)
    assert ask(DELTAS) == [("theirs", 0.5, 0.6, "ours", PLAIN)]
    footnote = "taken to have the weights, config.json and tokenizer of other runs, which it does not say"
    assert ask("select footnote from current_metrics where run_id = 'theirs'") == [(footnote,)]


def test_whichever_came_first(measured, ask):
    measured("theirs", {"0": 0.6}, weights=None)
    measured("saved", {"40": 0.5}, config="c1", t=9)
    assert ask(DELTAS) == [("saved", 0.5, 0.6, "theirs", PLAIN)]
    assert ask("select count(distinct model_id) from run_models") == [(1,)]


@pytest.mark.slow
def test_with_two_models_of_its_name_it_stands_alone_and_says_so(measured, ask):
    measured("one", {"0": 0.6})
    measured("two", {"0": 0.7}, weights="w2", t=5)
    measured("theirs", {"40": 0.5}, weights=None, t=9)
    assert ask(DELTAS) == [("theirs", 0.5, None, None, PLAIN)]
    footnote = "weights not known, and 2 models of this name fit"
    assert ask("select footnote from run_models where run_id = 'theirs'") == [(footnote,)]


def test_another_revision_is_not_taken_for_the_weights_that_are_known(measured, ask):
    measured("ours", {"0": 0.6}, revision="abc")
    measured("theirs", {"40": 0.5}, weights=None, revision="def", t=9)
    assert ask(DELTAS) == [("theirs", 0.5, None, None, PLAIN)]
    footnote = "of a revision that is not known to be the one whose weights are known"
    assert ask("select footnote from run_models where run_id = 'theirs'") == [(footnote,)]


@pytest.mark.slow
def test_of_two_revisions_neither_is_taken_for_weights_of_an_unknown_one(measured, ask):
    measured("ours", {"0": 0.6})
    measured("theirs", {"40": 0.5}, weights=None, revision="abc", t=5)
    assert ask(DELTAS) == [("theirs", 0.5, 0.6, "ours", PLAIN)]
    measured("others", {"40": 0.4}, weights=None, revision="def", t=9)
    assert [row[:3] for row in ask(DELTAS)] == [("others", 0.4, None), ("theirs", 0.5, None)]


@pytest.mark.slow
def test_revisions_with_equal_weights_are_one(measured, ask):
    measured("ours", {"0": 0.6}, revision="abc")
    measured("later", {"20": 0.55}, revision="def", t=5)
    measured("theirs", {"40": 0.5}, weights=None, revision="def", t=9)
    assert ask(DELTAS) == [("later", 0.55, 0.6, "ours", PLAIN), ("theirs", 0.5, 0.6, "ours", PLAIN)]


def test_a_level_is_never_subtracted_from_a_published_baseline(measured, ask):
    published = Conditions(documents="all", published=True).to_dict()
    measured("paper", {"0": 0.9}, conditions=published, weights=None)
    measured("ours", {"40": 0.5}, conditions=KNOWN | {"dtype": None}, weights=None, t=9)
    assert ask(DELTAS)[0][:3] == ("ours", 0.5, None)


# Versions and shots


def test_results_that_do_not_say_their_version_stand_in_the_row_of_the_one_that_is_known(measured, ask):
    measured("paper", {"0": 0.9}, conditions=Conditions(published=True).to_dict(), weights=None, cell={"version": None})
    measured("ours", {"0": 0.8}, t=9)
    assert ask("select distinct task, num_fewshot, version from current_metrics") == [("arc", 0, "1")]
    footnotes = dict(ask("select run_id, footnote from current_metrics"))
    assert footnotes == {"ours": None, "paper": "task version not known, taken to be the one that was measured"}


def test_a_task_says_that_its_version_was_taken_to_be_the_known_one(measured, ask):
    measured("old", {"0": 0.9}, cell={"version": None})
    measured("ours", {"0": 0.8}, t=9)
    assert ask("select footnote from task_identities") == [("arc: version not known, taken to be 1",)]


@pytest.mark.slow
def test_with_two_versions_known_they_stand_alone(measured, ask):
    measured("paper", {"0": 0.9}, conditions=Conditions(published=True).to_dict(), weights=None, cell={"version": None})
    measured("r1", {"0": 0.8}, t=5)
    measured("r2", {"0": 0.8}, t=9, cell={"version": "2"})
    assert ask("select version from current_metrics order by 1") == [("1",), ("2",), (None,)]


@pytest.mark.parametrize("recorded", [None, 0])
def test_a_group_has_the_shots_of_its_parts(new_run, merged, ask, recorded):
    for run_id, level, shots, t in (("base", "0", 0, 0), ("pruned", "40", 5, 9)):
        run = new_run(run_id)
        run.start(conditions=KNOWN, t=t)
        run.cell(level, "stem_a", 0.5, part_of="stem", num_fewshot=shots, t=t)
        run.cell(level, "stem", 0.5, part_of="all", is_group=True, num_fewshot=recorded, t=t)
        run.cell(level, "all", 0.5, is_group=True, num_fewshot=recorded, t=t)
        merged(run)
    assert ask("select task, num_fewshot, baseline from baseline_deltas order by task") == [
        ("all", 5, None), ("stem", 5, None), ("stem_a", 5, None),
    ]  # fmt: skip


# Runs from before there were columns


@pytest.fixture
def forgotten(database):
    """The columns as a file has them that was written before there were any."""

    def forget(sentence):
        with db.open_write(database) as con:
            names = [name for name in Conditions.__dataclass_fields__ if name != "dtype"]
            con.execute(f"update runs set conditions = ?, {', '.join(f'{name} = null' for name in names)}", [sentence])
            old_runs.describe(con)
            identity.resolve(con, identity.models_of(con))

    return forget


def test_old_sentences_are_taken_apart(new_run, merged, forgotten, ask):
    run = new_run("r1")
    run.start(conditions=KNOWN)
    run.cell("0", "arc", 0.5)
    merged(run)
    forgotten('limit 100, float32, seed 7, chat template, system instruction "Think, then answer"')
    with_columns = "select documents, dtype, seeds, chat_template, system_prompt, published from run_models"
    assert ask(with_columns) == [("100", "float32", "7,7,7,7", True, "Think, then answer", False)]


@pytest.mark.slow
def test_an_old_import_joins_what_is_measured_now(measured, forgotten, ask):
    measured("old", {"0": 0.6})
    forgotten("all documents, float32, seed 0")
    measured("new", {"40": 0.5}, t=9)
    assert ask(DELTAS) == [("new", 0.5, 0.6, "old", PLAIN)]


def test_a_sentence_that_says_something_else_stays_one(measured, ask):
    measured("r1", {"0": 0.6, "20": 0.5}, conditions="whatever the weather")
    measured("r2", {"0": 0.7}, conditions=KNOWN, t=9)
    assert ask(DELTAS) == [("r1", 0.5, 0.6, "r1", "whatever the weather")]


def test_a_plan_from_before_drew_what_its_seed_was_added_to(new_run, merged, ask):
    run = new_run("r1")
    plan = {"name": "r1", "method": "maw", "limit": None, "seed": 42}
    run.line("plan", plan=plan, conditions="all documents, float32, seed 42", dtype="float32")
    merged(run)
    assert ask("select seeds, documents from runs") == [("42,1276,1276,1276", "all")]
    assert json.loads(ask("select plan from runs")[0][0])["seed"] == 42


# Base models and tuned ones


@pytest.mark.slow
@pytest.mark.parametrize(
    ("larger", "met"),
    one_in(
        2,
        [
            ("org/Tiny-3B", True),
            ("org/Tiny-3B-Instruct", False),
            ("org/tiny-3b-chat", False),
            ("org/tiny-3b-it", False),
            ("org/Tiny-3B-Italian", True),
        ],
    ),
)
def test_a_base_model_meets_base_models_only(measured, ask, larger, met):
    measured("small", {"0": 0.6, "20": 0.5}, model="org/Tiny-1B")
    measured("large", {"0": 0.7, "20": 0.6}, model=larger, weights="w3", scale=3)
    for table in ("size_comparison", "size_tests"):
        assert bool(ask(f"select distinct larger from {table}")) is met
    ids = "(select list(distinct model_id) from run_models)"
    assert ask(f"select distinct larger from size_tests_of({ids})") == [(larger,)]


def test_what_is_recorded_of_a_model_counts_before_its_name(new_run, merged, ask):
    for run_id, model, tuned in (("small", "org/Tiny-1B-Instruct", None), ("large", "org/Mighty", True)):
        run = new_run(run_id)
        run.start(model=model, weights=model, conditions=KNOWN, scale=1 + (run_id == "large"), tuned=tuned)
        run.cell("0", "arc", 0.5)
        merged(run)
    assert ask("select distinct smaller, larger from size_comparison") == [("org/Tiny-1B-Instruct", "org/Mighty")]
