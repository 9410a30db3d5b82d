"""Small runs in, exact rows out. Unless a test says otherwise, widths are 100, 80 and 60 neurons: 0, 20 and 40 %."""

from __future__ import annotations

import math

import pytest

CURRENT = "select model, method, pruning_pct, task, metric, value from current_metrics order by all"
DELTAS = "select pruning_pct, task, value, baseline, delta, delta_pct, improved from baseline_deltas order by all"


@pytest.fixture
def run(new_run):
    run = new_run("r1")
    run.start()
    return run


def test_within_a_run_the_last_value_counts_whatever_the_clock_said(run, merged, ask):
    run.cell("0", "piqa", 0.25, t=1000)
    run.cell("0", "piqa", 0.75, t=-1000)
    merged(run)
    assert ask("select value from current_metrics") == [(0.75,)]


def test_what_a_run_said_last_of_a_width_counts(run, merged, ask):
    run.line(
        "variant", 5, level="20", method="maw", pruning_pct=22.0, intermediate_size=78, padded_size=78,
        expansion_ratio=3.12, parameters=780, bytes=3120,
    )  # fmt: skip
    run.cell("20", "piqa", 0.25)
    merged(run)
    assert ask("select pruning_pct, intermediate_size from current_metrics") == [(22.0, 78)]


def test_run_overview_counts_cells_and_knows_the_last_word(run, new_run, merged, ask):
    run.cell("0", "piqa", 0.5)
    run.line("attempt", attempt=2, pid=2, host="here", provenance={})
    run.cell("0", "piqa", 0.5)
    run.line("cell_failed", level="20", task="piqa", error="no memory", detail="")
    run.line("cell_failed", level="0", task="boolq", error="no memory", detail="")
    run.cell("0", "boolq", 0.5)
    run.line("stopped", reason="asked to")
    planned = new_run("r2")
    planned.line("plan", 5, plan={"name": "second", "method": "vow"}, conditions="c")
    whole = new_run("r3")
    whole.start(t=9)
    whole.line("finished", 10, failed=0)
    merged(run, planned, whole)
    assert ask("select run_id, name, model, method, state, cells_done, cells_failed from run_overview order by 1") == [
        ("r1", "r1", "org/Tiny", "maw", "stopped", 2, 1),
        ("r2", "second", None, "vow", "planned", 0, 0),
        ("r3", "r3", "org/Tiny", "maw", "finished", 0, 0),
    ]


def test_current_metrics_is_the_latest_of_equal_measurements(run, new_run, merged, ask):
    run.cell("0", "piqa", 0.5, t=1)
    run.cell("0", "piqa", 0.6, t=2)
    later = new_run("r0")  # its name sorts first, its time last
    later.start()
    later.cell("20", "piqa", 0.3, t=9)
    run.cell("20", "piqa", 0.4, t=8)
    merged(run, later)
    assert ask(CURRENT) == [
        ("org/Tiny", "maw", 0.0, "piqa", "acc", 0.6),
        ("org/Tiny", "maw", 20.0, "piqa", "acc", 0.3),
    ]


@pytest.mark.parametrize(
    "other",
    [{"conditions": {"documents": "5"}}, {"weights": "w2"}, {"model": "org/Other"}],
    ids=["conditions", "weights", "model"],
)
def test_current_metrics_keeps_apart_what_cannot_be_compared(run, new_run, merged, ask, other):
    second = new_run("r2")
    second.start(**other)
    run.cell("20", "piqa", 0.5)
    second.cell("20", "piqa", 0.4, t=5)
    merged(run, second)
    assert ask("select value from current_metrics order by 1") == [(0.4,), (0.5,)]


@pytest.mark.parametrize("field", [{"num_fewshot": 5}, {"version": "2"}, {"task": "boolq"}])
def test_current_metrics_keeps_shots_versions_and_tasks_apart(run, merged, ask, field):
    run.cell("20", field.get("task", "piqa"), 0.4, **{k: v for k, v in field.items() if k != "task"})
    run.cell("20", "piqa", 0.5)
    merged(run)
    assert ask("select value from current_metrics order by 1") == [(0.4,), (0.5,)]


def test_the_unpruned_width_belongs_to_every_method_the_model_was_pruned_with(run, new_run, merged, ask):
    run.cell("0", "piqa", 0.5, t=1)
    run.cell("20", "piqa", 0.4, t=1)
    other = new_run("r2")
    other.start(method="vow", widths={"20": 80})
    other.cell("20", "piqa", 0.3, t=2)
    merged(run, other)
    assert ask(CURRENT) == [
        ("org/Tiny", "maw", 0.0, "piqa", "acc", 0.5),
        ("org/Tiny", "maw", 20.0, "piqa", "acc", 0.4),
        ("org/Tiny", "vow", 0.0, "piqa", "acc", 0.5),
        ("org/Tiny", "vow", 20.0, "piqa", "acc", 0.3),
    ]
    assert ask("select method, delta_pct from baseline_deltas order by 1") == [
        ("maw", pytest.approx(-20.0)),
        ("vow", pytest.approx(-40.0)),
    ]


def test_one_width_under_two_names_is_one_width(run, new_run, merged, ask):
    run.cell("20", "piqa", 0.5, t=1)
    run.cell("20", "boolq", 0.5, t=1)
    other = new_run("r2")
    other.start(widths={"w80": 80})
    other.cell("w80", "piqa", 0.4, t=2)
    merged(run, other)
    assert ask("select level, pruning_pct, task, value from current_metrics order by all") == [
        ("20", 20.0, "boolq", 0.5),
        ("20", 20.0, "piqa", 0.4),
    ]


def test_headline_metrics_are_the_studys(run, merged, ask, metric):
    run.cell("0", "piqa", metrics=[metric("acc", 0.7), metric("acc_norm", 0.8)])
    run.cell("0", "arc_challenge", metrics=[metric("acc", 0.3), metric("acc_norm", 0.4)])
    strict, flexible = (
        metric("exact_match", v, filter=f) for v, f in ((0.1, "strict-match"), (0.2, "flexible-extract"))
    )
    run.cell("0", "gsm8k", metrics=[strict, flexible])
    run.cell("0", "wikitext", metrics=[metric("byte_perplexity", 1.5), metric("word_perplexity", 11.0)])
    run.cell("0", "lambada_openai", metrics=[metric("acc", 0.6), metric("perplexity", 5.0)])
    merged(run)
    assert ask("select benchmark, metric, filter, value, kind from headline_metrics order by position") == [
        ("GSM8K", "exact_match", "flexible-extract", 0.2, "score"),
        ("ARC-C", "acc_norm", "none", 0.4, "score"),
        ("PIQA", "acc", "none", 0.7, "score"),
        ("WikiText", "word_perplexity", "none", 11.0, "perplexity"),
        ("LAMBADA", "perplexity", "none", 5.0, "perplexity"),
    ]


def test_headline_of_an_unlisted_task_follows_the_order_of_metrics(run, merged, ask, metric):
    first = {
        ("acc", "acc_norm"): "acc_norm",
        ("perplexity", "acc"): "acc",
        ("byte_perplexity", "word_perplexity"): "word_perplexity",
        ("zeal", "awe"): "awe",
        ("zeal", "f1"): "f1",
    }
    for metrics in first:
        run.cell("0", " and ".join(metrics), metrics=[metric(name, 0.5) for name in metrics])
    merged(run)
    assert set(ask("select benchmark, metric, position from headline_metrics")) == {
        (" and ".join(metrics), one, 1000) for metrics, one in first.items()
    }


def test_parts_of_a_group_are_no_benchmarks_where_the_group_has_its_aggregate(run, merged, ask):
    for level in ("0", "20"):
        run.cell(level, "mmlu_law", 0.3, part_of="mmlu_humanities")
    run.cell("0", "mmlu_humanities", 0.3, part_of="mmlu", is_group=True, version="2")
    run.cell("0", "mmlu", 0.3, is_group=True, num_fewshot=-1)
    merged(run)
    assert ask("select pruning_pct, task from headline_metrics order by all") == [(0.0, "mmlu"), (20.0, "mmlu_law")]


def test_baseline_deltas(run, merged, ask, metric):
    run.cell("0", "piqa", metrics=[metric("acc", 0.5, stderr=0.03)])
    run.cell("20", "piqa", metrics=[metric("acc", 0.25, stderr=0.04)])
    run.cell("40", "piqa", 0.75)
    run.cell("0", "wikitext", metrics=[metric("word_perplexity", 10.0)])
    run.cell("20", "wikitext", metrics=[metric("word_perplexity", 15.0)])
    run.cell("40", "wikitext", metrics=[metric("word_perplexity", 8.0)])
    merged(run)
    assert ask(DELTAS) == [
        (20.0, "piqa", 0.25, 0.5, -0.25, -50.0, False),
        (20.0, "wikitext", 15.0, 10.0, 5.0, 50.0, False),
        (40.0, "piqa", 0.75, 0.5, 0.25, 50.0, True),
        (40.0, "wikitext", 8.0, 10.0, -2.0, -20.0, True),
    ]
    assert ask("select stderr from baseline_deltas order by pruning_pct, task") == [
        (pytest.approx(0.05),), (None,), (None,), (None,),
    ]  # fmt: skip


def test_baseline_deltas_has_the_columns_that_scripts_rely_on(run, merged, ask):
    merged(run)
    names = [name for (name,) in ask("select column_name from (describe baseline_deltas)")]
    assert names[:11] == [
        "model", "method", "pruning_pct", "task", "metric", "value", "baseline", "delta", "delta_pct", "improved",
        "stderr",
    ]  # fmt: skip


def test_every_metric_has_its_delta_and_one_is_the_headline(run, merged, ask, metric):
    for level, value in (("0", 0.5), ("20", 0.4)):
        run.cell(level, "piqa", metrics=[metric("acc", value), metric("acc_norm", value + 0.1)])
    merged(run)
    assert ask("select metric, is_headline from baseline_deltas order by 1") == [("acc", True), ("acc_norm", False)]


def test_deltas_of_odd_numbers(run, merged, ask):
    """None stands for null or NaN here: no claim is made."""
    expected = {
        (0.5, 0.5): (0.0, 0.0, False),
        (0.5, 0.0): (0.5, None, True),
        (-2.0, -1.0): (-1.0, -100.0, False),
        (math.inf, 1.0): (math.inf, math.inf, True),
        (1.0, math.inf): (-math.inf, None, False),
        (math.inf, math.inf): (None, None, None),
        (math.nan, 0.5): (None, None, None),
        (0.5, math.nan): (None, None, None),
    }
    for at, (value, baseline) in enumerate(expected):
        run.cell("0", f"task{at}", baseline)
        run.cell("20", f"task{at}", value)
    merged(run)
    rows = ask("select delta, delta_pct, improved from baseline_deltas order by task")
    told = [tuple(None if n is None or math.isnan(n) else n for n in row) for row in rows]
    assert dict(zip(expected, told, strict=True)) == expected


def test_a_metric_without_direction_neither_improves_nor_worsens(run, merged, ask, metric):
    run.cell("0", "piqa", metrics=[metric("length", 5.0, higher_is_better=None)])
    run.cell("20", "piqa", metrics=[metric("length", 6.0, higher_is_better=None)])
    merged(run)
    assert ask("select delta, improved from baseline_deltas") == [(1.0, None)]


@pytest.mark.parametrize("differs", [{"num_fewshot": 5}, {"version": "2"}])
def test_a_baseline_with_other_shots_or_version_does_not_count(run, merged, ask, differs):
    run.cell("0", "piqa", 0.5, **differs)
    run.cell("20", "piqa", 0.4)
    merged(run)
    assert ask("select value, baseline, delta, improved from baseline_deltas") == [(0.4, None, None, None)]


def test_a_baseline_under_other_conditions_does_not_count(run, new_run, merged, ask):
    other = new_run("r2")
    other.start(conditions={"documents": "5"})
    other.cell("0", "piqa", 0.5)
    run.cell("20", "piqa", 0.4)
    merged(run, other)
    assert ask("select value, baseline from baseline_deltas") == [(0.4, None)]


def test_a_baseline_may_come_from_another_run(run, new_run, merged, ask):
    other = new_run("r2")
    other.start(widths={"0": 100})
    other.cell("0", "piqa", 0.5)
    run.cell("20", "piqa", 0.4)
    merged(run, other)
    assert ask("select run_id, baseline_run_id, baseline from baseline_deltas") == [("r1", "r2", 0.5)]


@pytest.mark.slow
def test_size_comparison_pairs_equal_percentages_and_equal_ratios(run, new_run, merged, ask):
    """The large model is twice as wide: its 100 neurons are a ratio of 2.0, as 50 are for the small one."""
    small, large = run, new_run("r2")
    large.start(model="org/Large", weights="w9", scale=2, widths={"0": 100, "20": 80})
    half = new_run("r3")
    half.start(widths={"50": 50})
    for level, value in (("0", 0.5), ("20", 0.25)):
        small.cell(level, "piqa", value)
    for level, value in (("0", 0.8), ("20", 0.6)):
        large.cell(level, "piqa", value)
    half.cell("50", "piqa", 0.1)
    merged(small, large, half)
    assert ask(
        "select basis, basis_value, smaller, larger, smaller_pruning_pct, larger_pruning_pct, smaller_value, "
        "larger_value, smaller_delta_pct, larger_delta_pct from size_comparison order by basis, basis_value"
    ) == [
        ("expansion ratio", 2.0, "org/Tiny", "org/Large", 50.0, 0.0, 0.1, 0.8, pytest.approx(-80), 0.0),
        ("percentage", 0.0, "org/Tiny", "org/Large", 0.0, 0.0, 0.5, 0.8, 0.0, 0.0),
        ("percentage", 20.0, "org/Tiny", "org/Large", 20.0, 20.0, 0.25, 0.6, -50.0, pytest.approx(-25)),
    ]


def test_size_comparison_needs_equal_conditions(run, new_run, merged, ask):
    other = new_run("r2")
    other.start(model="org/Large", conditions={"documents": "5"})
    run.cell("20", "piqa", 0.5)
    other.cell("20", "piqa", 0.5)
    merged(run, other)
    assert ask("from size_comparison") == []


def test_level_scores_average_what_is_left_of_each_benchmark(run, merged, ask, metric):
    run.cell("0", "piqa", 0.5)
    run.cell("20", "piqa", 0.4)
    run.cell("0", "boolq", 0.5)
    run.cell("20", "boolq", 0.6)
    run.cell("0", "wikitext", metrics=[metric("word_perplexity", 10.0)])
    run.cell("20", "wikitext", metrics=[metric("word_perplexity", 20.0)])
    merged(run)
    assert ask(
        "select pruning_pct, retained_pct, parameters_pct, benchmarks, improved, worst_benchmark, worst_retained_pct "
        "from level_scores"
    ) == [(20.0, pytest.approx((80 + 120 + 50) / 3), 80.0, 3, 1, "WikiText", 50.0)]


def test_level_scores_count_a_benchmark_with_two_numbers_of_shots_once(run, merged, ask):
    for shots, baseline, value in ((0, 0.5, 0.4), (5, 0.5, 0.3)):
        run.cell("0", "piqa", baseline, num_fewshot=shots)
        run.cell("20", "piqa", value, num_fewshot=shots)
    run.cell("0", "boolq", 0.5)
    run.cell("20", "boolq", 0.6)
    merged(run)
    assert ask("select retained_pct, benchmarks, improved, worst_benchmark, worst_retained_pct from level_scores") == [
        (pytest.approx((70 + 120) / 2), 2, 1, "PIQA", pytest.approx(70.0))
    ]


def test_of_benchmarks_that_are_equally_bad_the_first_in_tables_is_the_worst(run, merged, ask):
    for task in ("winogrande", "piqa", "mmlu", "boolq", "hellaswag"):
        run.cell("0", task, 0.5)
        run.cell("20", task, 0.4)
    merged(run)
    for view in ("level_scores", "rule_levels"):
        assert ask(f"select distinct worst_benchmark from {view}") == [("MMLU",)]


@pytest.mark.parametrize(("perplexity", "left"), [(math.nan, 0.0), (math.inf, 0.0)])
def test_a_score_that_is_no_number_leaves_nothing(run, merged, ask, metric, perplexity, left):
    run.cell("0", "wikitext", metrics=[metric("word_perplexity", 10.0)])
    run.cell("20", "wikitext", metrics=[metric("word_perplexity", perplexity)])
    merged(run)
    assert ask("select retained_pct, improved from level_scores") == [(left, 0)]


def test_guessing_scores_half_at_most(run, merged, ask):
    merged(run)
    assert ask("from chance_levels where not chance between 0 and 0.5") == []
    assert ask("select distinct metric from chance_levels order by all") == [
        ("acc",), ("acc_norm",), ("exact_match",), ("inst_level_loose_acc",), ("inst_level_strict_acc",),
        ("prompt_level_loose_acc",), ("prompt_level_strict_acc",),
    ]  # fmt: skip
    groups = ("mmlu", *(f"mmlu_{group}" for group in ("humanities", "other", "social_sciences", "stem")))
    of_choices = ("arc_challenge", "boolq", "hellaswag", "lambada_openai", *groups, "piqa", "truthfulqa_mc1",
                  "truthfulqa_mc2", "winogrande")  # fmt: skip
    assert ask("select task from chance_levels where metric = 'acc' order by all") == [(task,) for task in of_choices]
    assert ask("select distinct chance from chance_levels where task like 'mmlu%'") == [(0.25,)]


def test_best_level_keeps_most_among_the_widths_measured_in_full(run, merged, ask):
    for task, values in {"piqa": (0.5, 0.4, 0.45), "boolq": (0.5, 0.5, None)}.items():
        for level, value in zip(("0", "20", "40"), values, strict=True):
            if value is not None:
                run.cell(level, task, value)
    merged(run)
    assert ask("select model, method, pruning_pct, retained_pct, benchmarks from best_level") == [
        ("org/Tiny", "maw", 20.0, pytest.approx(90.0), 2)
    ]


def test_best_level_takes_the_narrower_of_equals(run, merged, ask):
    for level in ("0", "20", "40"):
        run.cell(level, "piqa", 0.5)
    merged(run)
    assert ask("select pruning_pct from best_level") == [(40.0,)]


def test_consistent_improvements_are_better_at_every_width(run, merged, ask, metric):
    scores = {"piqa": (0.5, 0.6, 0.7), "boolq": (0.5, 0.6, 0.4), "mmlu": (0.5, 0.5, 0.6), "ifeval": (0.5, 0.6, None)}
    for task, values in scores.items():
        for level, value in zip(("0", "20", "40"), values, strict=True):
            if value is not None:
                name = "prompt_level_strict_acc" if task == "ifeval" else "acc"
                run.cell(level, task, metrics=[metric(name, value)])
    merged(run)
    assert ask(
        "select model, benchmark, levels, smallest_delta_pct, largest_delta_pct, largest_at_pct "
        "from consistent_improvements"
    ) == [("org/Tiny", "PIQA", 2, pytest.approx(20.0), pytest.approx(40.0), 40.0)]


CONSTANT = ("benchmarks", "metric_order", "chance_levels", "question_counts", "current_rules")


@pytest.mark.slow
def test_views_of_an_empty_file_are_empty(ask, database, merged, new_run):
    run = new_run("r1")
    merged(run)
    for (view,) in ask("select view_name from duckdb_views() where not internal"):
        if view not in CONSTANT:
            assert ask(f"from {view}") == []


def test_open_failures_are_those_that_no_later_run_has_mended(new_run, merged, ask):
    for run_id, t in (("r1", 0), ("r2", 9)):
        run = new_run(run_id)
        run.start(t=t)
        if run_id == "r1":
            for task in ("piqa", "boolq"):
                run.line("cell_failed", t, level="20", task=task, error=f"no memory for {task}", detail="")
        else:
            run.cell("20", "piqa", 0.5, t=t)
        merged(run)
    assert ask("select name, level, task, error from open_failures") == [("r1", "20", "boolq", "no memory for boolq")]
    assert ask("from open_failures_of(['another model'])") == []


def test_compared_cells_have_the_conditions_of_their_questions(new_run, merged, ask, metric):
    for run_id, documents, t in (("r1", 100, 0), ("r2", 7, 9)):
        run = new_run(run_id)
        run.start(conditions={"chat_template": False}, t=t)
        run.cell("0", "piqa", metrics=[metric("acc", 0.5, n=documents)], t=t)
        merged(run)
    assert ask("select run_id, conditions from compared_cells order by run_id") == [
        ("r1", "float32"), ("r2", "float32, 7 documents"),
    ]  # fmt: skip
