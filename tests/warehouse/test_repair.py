"""What repair and calibration are part of: a pruned width, not the unpruned one that it is compared with."""

from __future__ import annotations

import polars as pl
import pytest
from run_writer import metric

from warehouse.errors import UserError
from warehouse.exporters.export import export_deltas
from warehouse.merging.delete_run import delete_run
from warehouse.merging.remake import remake
from warehouse.read.deltas import read_deltas
from warehouse.read.metric_lookup import MetricQuery
from warehouse.read.trace import trace
from warehouse.store import accounts, db

DELTAS = "select repair, pruning_pct, value, baseline, baseline_run_id from baseline_deltas order by all"
PRUNED = {"20": 80, "40": 60}


@pytest.fixture
def sweep(new_run):
    """MAW alone, which measures the unpruned model, and OBS with least squares, which does not."""
    first, second = new_run("r1"), new_run("r2")
    first.start(method="maw", repair="none", sweep="s1")
    for level, value in (("0", 0.8), ("20", 0.5), ("40", 0.3)):
        first.cell(level, "piqa", value)
    second.start(method="obs", repair="lsq", sweep="s1", text="self", widths=PRUNED, t=10)
    second.cell("20", "piqa", 0.75, t=10)
    second.cell("40", "piqa", 0.7, t=10)
    return first, second


def test_a_repaired_width_is_compared_with_the_unpruned_model_of_its_sweep(sweep, merged, ask):
    merged(*sweep)
    assert ask("select method, repair, pruning_pct, value, baseline from baseline_deltas order by all") == [
        ("maw", "none", 20.0, 0.5, 0.8),
        ("maw", "none", 40.0, 0.3, 0.8),
        ("obs", "lsq", 20.0, 0.75, 0.8),
        ("obs", "lsq", 40.0, 0.7, 0.8),
    ]


def test_the_unpruned_width_stands_under_each_method_and_repair(sweep, merged, ask):
    merged(*sweep)
    unpruned = "select method, repair, value from headline_metrics where unpruned order by all"
    assert ask(unpruned) == [("maw", "none", 0.8), ("obs", "lsq", 0.8)]


def test_a_later_unpruned_run_does_not_take_the_place_of_the_sweeps(sweep, new_run, merged, ask):
    later = new_run("r3")
    later.start(widths={"0": 100}, t=100)
    later.cell("0", "piqa", 0.9, t=100)
    merged(*sweep, later)
    assert {row[-1] for row in ask(DELTAS)} == {"r1"}


def test_without_one_in_its_sweep_the_latest_counts(sweep, new_run, merged, ask):
    later = new_run("r3")
    later.start(widths={"0": 100}, t=100)
    later.cell("0", "piqa", 0.9, t=100)
    merged(sweep[1], later)
    assert {row[-1] for row in ask(DELTAS)} == {"r3"}


def test_what_is_repaired_and_what_is_not_are_never_one_series(new_run, merged, ask):
    runs = [new_run(name) for name in ("r1", "r2")]
    for run, repair, value in zip(runs, ("none", "lsq"), (0.3, 0.7), strict=True):
        run.start(method="maw", repair=repair, text="self" if repair == "lsq" else None)
        run.cell("0", "piqa", 0.8)
        run.cell("40", "piqa", value)
    merged(*runs)
    assert ask("select repair, value, baseline_run_id from baseline_deltas order by all") == [
        ("lsq", 0.7, "r2"),
        ("none", 0.3, "r1"),
    ]
    assert ask("select repair, round(retained_pct, 9) from level_scores order by all") == [
        ("lsq", 87.5),
        ("none", 37.5),
    ]
    for view in ("best_levels where in_use", "benchmark_trends", "consistent_improvements", "pareto_front"):
        assert {row[0] for row in ask(f"select repair from {view}")} <= {"lsq", "none"}
    assert len(ask("from benchmark_trends")) == len(ask("from best_levels where in_use")) == 2


@pytest.mark.slow
def test_another_text_is_another_column_and_displaces_nothing(new_run, merged, ask):
    runs = [new_run(name) for name in ("r1", "r2", "r3")]
    for t, (run, text, value) in enumerate(zip(runs, ("self", "stories.txt", "self"), (0.7, 0.6, 0.71), strict=True)):
        run.start(method="obs", repair="lsq", text=text, t=t)
        run.cell("0", "piqa", 0.8, t=t)
        run.cell("40", "piqa", value, t=t)
    merged(runs[0], runs[1], runs[2])
    found = ask("select conditions, base_conditions, calibration, run_id from baseline_deltas order by run_id")
    usual = "all documents, float32"
    assert [(conditions, base, run) for conditions, base, _, run in found] == [
        (f"{usual}, {found[0][0].removeprefix(usual + ', ')}", usual, "r2"),
        (usual, usual, "r3"),
    ]
    assert found[0][0].startswith(f"{usual}, calibrated on stories.txt, 4,096 tokens (")
    assert found[1][2].startswith("self, 4,096 tokens (")
    assert all(row[0] == 0.8 for row in ask("select baseline from baseline_deltas"))


def test_a_path_of_this_machine_is_not_told_in_tables(new_run, merged, ask):
    run = new_run("r1")
    run.start(method="obs", repair="lsq", text="/home/someone/texts/mine.txt")
    run.cell("40", "piqa", 0.7)
    merged(run)
    [(calibration,)] = ask("select calibration from baseline_deltas")
    assert calibration.startswith("mine.txt, 4,096 tokens (")


def test_methods_with_their_repairs_are_paired_question_by_question(sweep, merged, ask):
    documents = pl.DataFrame(
        [(i, "none", "acc", float(i % 2), None, "0") for i in range(10)],
        schema={
            "doc_id": pl.Int32, "filter": pl.String, "metric": pl.String, "value": pl.Float64, "weight": pl.Float64,
            "response": pl.String,
        },
        orient="row",
    )  # fmt: skip
    for run in sweep:
        run.line(
            "task", task="piqa", part_of=None, version="1", output_type="multiple_choice", num_fewshot=0, n_docs=10,
            n_requests=20, dataset="piqa", dataset_fingerprint="f", requests_hash="h",
        )  # fmt: skip
        documents.write_parquet(run.folder / "samples" / "x.parquet")
        run.cell("40", "piqa", metrics=[metric("acc", 0.5)], samples="samples/x.parquet", t=20)
    merged(*sweep)
    assert ask("select run_id, baseline_run_id, level, estimator, pairs from paired_methods where problem is null") == [
        ("r2", "r1", "40", "mean", 10),
    ]


def test_a_journal_from_before_has_no_repair(new_run, merged, ask):
    run = new_run("r1")
    run.start()
    run.cell("40", "piqa", 0.5)
    merged(run)
    assert ask("select distinct repair from variants") == [("none",)]
    assert ask("select repair, calibration from baseline_deltas") == [("none", None)]


def test_what_a_run_was_calibrated_on_is_in_its_rows_and_goes_with_it(sweep, merged, database, ask):
    merged(*sweep)
    assert ask("select run_id, source, tokens, length, seed, path from calibrations") == [
        ("r2", "self", 4096, 128, 0, "calibration.npz")
    ]
    assert ask("select run_id, calibrated_on is not null, sweep from run_models order by all") == [
        ("r1", False, "s1"),
        ("r2", True, "s1"),
    ]
    delete_run(database, "r2")
    assert ask("from calibrations") == []


def test_a_changed_repair_or_calibration_is_noticed(sweep, merged, database):
    merged(*sweep)
    with db.open_write(database) as con:
        con.execute("update variants set repair = 'none' where run_id = 'r2' and level = '40'")
        con.execute("update calibrations set tokens = 1")
        assert accounts.altered(con, database.with_suffix(".runs")) == {
            "r2": "values of 2 events (an event variant, an event calibration) were changed"
        }


@pytest.mark.slow
def test_a_file_made_anew_has_them(sweep, merged, database, ask):
    merged(*sweep)
    before = ask(DELTAS), ask("select * from calibrations")
    remake(database, database.with_suffix(".runs"))
    assert (ask(DELTAS), ask("select * from calibrations")) == before


@pytest.mark.slow
def test_a_table_is_of_one_method_and_repair(sweep, merged, database):
    merged(*sweep)
    tables = read_deltas(database, model="Tiny").tables
    assert [(table.pruned_with, table.calibration is None) for table in tables] == [("maw", True), ("obs + lsq", False)]
    assert [[width.label for width in table.grid.columns] for table in tables] == [["unpruned", "20%", "40%"]] * 2
    [table] = read_deltas(database, model="Tiny", repair="lsq").tables
    assert table.method == "obs"
    with pytest.raises(UserError, match="was not repaired with 'ls': there is lsq"):
        read_deltas(database, model="Tiny", repair="ls")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("markdown", "pruned with OBS + LSQ"),
        ("markdown", "Calibrated on self, 4,096 tokens ("),
        ("latex", "Tiny, OBS + LSQ; all documents, float32; calibrated on self, 4,096 tokens ("),
        ("json", '"calibration": "self, 4,096 tokens ('),
        ("csv", ",obs,"),
    ],
)
def test_captions_and_rows_say_what_a_width_was_pruned_repaired_and_calibrated_with(
    sweep, merged, database, written: str, said: str
):
    merged(*sweep)
    text = export_deltas(database, model="Tiny", repair="lsq", format=written)
    assert isinstance(text, str)
    assert said in text


@pytest.mark.slow
def test_why_asks_for_the_repair_where_several_fit(new_run, merged, database):
    runs = [new_run(name) for name in ("r1", "r2")]
    for run, repair in zip(runs, ("none", "lsq"), strict=True):
        run.start(method="maw", repair=repair, text="self" if repair == "lsq" else None)
        run.cell("0", "piqa", 0.8)
        run.cell("40", "piqa", 0.5)
    merged(*runs)
    folder = database.with_suffix(".runs")
    with pytest.raises(UserError, match=r"differ in repair: lsq, none. Choose with --repair"):
        trace(database, MetricQuery(model="Tiny", level="40", task="piqa"), folder)
    found = trace(database, MetricQuery(model="Tiny", level="40", task="piqa", repair="lsq"), folder)
    assert found.origin.number.run_id == "r2"
    assert found.origin.cell.calibration_source == "self"
    assert [one.run_id for one in found.origin.measured] == ["r2"]


@pytest.mark.slow
def test_damage_is_measured_beside_the_scores_and_counts_in_no_mean(new_run, merged, ask):
    run = new_run("r1")
    run.start()
    for level, kl, agreement, acc in (("0", 0.0, 1.0, 0.8), ("40", 0.4, 0.7, 0.4)):
        run.cell(level, "piqa", acc)
        told = [
            metric("kl_divergence", kl, higher_is_better=False),
            metric("top1_agreement", agreement, higher_is_better=True),
        ]
        run.cell(level, "damage", metrics=told)
    merged(run)
    assert ask("select task, metric, kind, delta, improved from baseline_deltas where is_headline order by task") == [
        ("damage", "kl_divergence", "damage", 0.4, False),
        ("piqa", "acc", "score", -0.4, False),
    ]
    assert ask("select retained_pct, benchmarks, left_out from level_scores") == [(50.0, 1, None)]
    assert ask("select benchmarks, retained_pct from best_levels where in_use") == [(1, 50.0)]
    assert ask("select p_value from delta_statistics where task = 'damage'") == [(None,), (None,)]
