"""When documents are compared, and when not: small runs with samples of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm
from sklearn.metrics import f1_score

from warehouse.errors import UserError
from warehouse.exporters.delta_markdown import markdown
from warehouse.merging import merge
from warehouse.merging.delete_run import delete_run
from warehouse.read.deltas import read_deltas
from warehouse.stats import pairing
from warehouse.store import db, statements

SCHEMA = {"doc_id": pl.Int32, "filter": pl.String, "metric": pl.String, "value": pl.Float64, "weight": pl.Float64,
          "response": pl.String}  # fmt: skip
PAIRED = "select run_id, baseline_run_id, pairs, lost, gained, problem from paired_deltas order by all"


def ask_questions(run, task="piqa", requests_hash="h"):
    run.line(
        "task", task=task, part_of=None, version="1", output_type="multiple_choice", num_fewshot=0, n_docs=4,
        n_requests=8, dataset=task, dataset_fingerprint="f", requests_hash=requests_hash,
    )  # fmt: skip


def scored(run, level: str, values: Sequence[float | None], *, task="piqa", value: float | None = None, **fields):
    """A cell whose documents have these values, and whose metric is their mean unless another is given."""
    name = f"{level}-{task}-{run.seq}.parquet"
    rows = [(i, "none", "acc", one, None, str(one)) for i, one in enumerate(values) if one is not None]
    pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(run.folder / "samples" / name)
    mean = sum(one for one in values if one is not None) / len(rows)
    run.cell(level, task, mean if value is None else value, samples=f"samples/{name}", **fields)


@pytest.fixture
def merged(merged_anew):
    return merged_anew


@pytest.fixture
def started(new_run):
    def start(run_id: str, requests_hash="h", **fields):
        run = new_run(run_id)
        run.start(**fields)
        ask_questions(run, requests_hash=requests_hash)
        return run

    return start


def test_a_run_is_compared_with_its_own_baseline(started, merged, ask):
    run = started("r1")
    scored(run, "0", [1, 1, 0, 1])
    scored(run, "20", [0, 0, 1, 1])
    merged(run)
    assert ask(PAIRED) == [("r1", "r1", 4, 2, 1, None)]
    assert ask("select stderr_kind, p_kind, p_value, agreement from delta_statistics") == [
        ("paired", "score, paired", pytest.approx(2 * norm.sf(1 / 3**0.5)), 0.25)
    ]


def test_a_baseline_that_comes_later_is_compared_when_it_comes(started, merged, ask):
    pruned, full = started("r1"), started("r2")
    scored(pruned, "20", [0, 1, 1, 1])
    scored(full, "0", [1, 1, 1, 1])
    merged(pruned)
    assert ask(PAIRED) == []
    merged(full)
    assert ask(PAIRED) == [("r1", "r2", 4, 1, 0, None)]


METHODS = "select run_id, baseline_run_id, level, pairs, lost, gained, problem from paired_methods order by all"


@pytest.fixture
def two_methods(started, merged):
    """The same model pruned by L2 and by MAW; at 20 % they answer differently."""
    l2, maw = started("r1", method="l2"), started("r2", method="maw")
    for run, answers in ((l2, [1, 1, 1, 0]), (maw, [0, 1, 0, 0])):
        scored(run, "0", [1, 1, 1, 1])
        scored(run, "20", answers)
    scored(maw, "40", [0, 0, 0, 0])
    merged(l2, maw)
    return l2, maw


def test_two_methods_are_compared_where_both_were_measured(two_methods, ask):
    assert ask(METHODS) == [("r2", "r1", "20", 4, 2, 0, None)]
    assert ask("select count(*) from paired_deltas") == [(3,)]
    assert ask("select paired_stderr from paired_methods") == [(pytest.approx(np.std([1, 0, 1, 0], ddof=1) / 2),)]


@pytest.mark.slow
def test_a_method_measured_again_is_compared_again(two_methods, started, merged, ask, database):
    again = started("r3", method="l2")
    scored(again, "20", [0, 1, 0, 1], t=9)
    merged(again)
    assert ask(METHODS) == [("r2", "r3", "20", 4, 1, 0, None)]
    delete_run(database, "r3")
    assert ask(METHODS) == [("r2", "r1", "20", 4, 2, 0, None)]
    delete_run(database, "r1")
    assert ask(METHODS) == []


@pytest.mark.slow
def test_an_older_files_methods_are_compared_by_the_next_merge(two_methods, merged, ask, database):
    """Of a file from before there was paired_methods, a migration notes that all is due."""
    with db.open_write(database) as con:
        con.execute("delete from paired_methods")
        con.execute(statements.query("pairing_note_all"))
    assert ask("select distinct task from pairing_due") == [("piqa",)]
    merged(two_methods[0])
    assert ask(METHODS) == [("r2", "r1", "20", 4, 2, 0, None)]
    assert ask("from pairing_due") == []


@pytest.mark.slow
def test_methods_that_were_asked_different_questions_are_no_pair(started, merged, ask):
    l2, maw = started("r1", method="l2"), started("r2", method="maw", requests_hash="another")
    for run in (l2, maw):
        scored(run, "0", [1, 1, 1, 1])
        scored(run, "20", [1, 1, 0, 0])
    merged(l2, maw)
    assert ask(METHODS) == []
    assert ask(PAIRED) == [("r1", "r1", 4, 2, 0, None), ("r2", "r2", 4, 2, 0, None)]


def test_methods_under_other_conditions_are_no_pair(started, merged, ask):
    for run_id, method, documents in (("r1", "l2", "all"), ("r2", "maw", "4")):
        run = started(run_id, method=method, conditions={"documents": documents})
        scored(run, "0", [1, 1, 1, 1])
        scored(run, "20", [1, 1, 0, 0])
        merged(run)
    assert ask(METHODS) == []


@pytest.mark.slow
def test_what_a_merge_left_to_the_next_says_that_it_is_not_compared_yet(started, merged, ask, database, monkeypatch):
    """Of the second level; the first was compared, and stays so."""
    run = started("r1")
    scored(run, "0", [1, 1, 0, 1])
    scored(run, "20", [0, 0, 1, 1])
    merged(run)
    scored(run, "40", [0, 0, 0, 1])
    monkeypatch.setattr(merge, "_PAIRING_SECONDS", -1)
    merged(run)
    assert ask("select pruning_pct, stderr_kind, unpaired_because from delta_statistics order by 1") == [
        (20.0, "paired", None), (40.0, "binomial", "not compared yet"),
    ]  # fmt: skip
    page = markdown(read_deltas(database, model="Tiny"), significance=True)
    assert "Not compared document by document yet, or not everywhere: PIQA. A merge does it." in page
    assert "Not tested" not in page
    monkeypatch.undo()
    merged(run)
    assert "yet" not in markdown(read_deltas(database, model="Tiny"), significance=True)
    assert ask("select distinct stderr_kind, unpaired_because from delta_statistics") == [("paired", None)]


def test_a_width_is_compared_with_the_unpruned_one_of_its_own_run(started, merged, ask):
    run, again = started("r1"), started("r2")
    scored(run, "0", [1, 1, 0, 0], t=1)
    scored(run, "20", [1, 0, 0, 0], t=1)
    scored(again, "0", [1, 1, 1, 1], t=5)
    merged(run, again)
    assert ask(PAIRED) == [("r1", "r1", 4, 1, 0, None)]


@pytest.mark.slow
def test_a_baseline_measured_again_replaces_the_first_of_another_run(started, merged, ask):
    run, first, again = started("r1"), started("r2"), started("r3")
    scored(first, "0", [1, 1, 0, 0], t=1)
    scored(run, "20", [1, 0, 0, 0], t=1)
    scored(again, "0", [1, 1, 1, 1], t=5)
    merged(run, first, again)
    assert ask(PAIRED) == [("r1", "r3", 4, 3, 0, None)]


@pytest.mark.slow
def test_deleting_a_baseline_brings_the_one_before_back(started, merged, ask, database):
    run, first, again = started("r1"), started("r2"), started("r3")
    scored(first, "0", [1, 1, 0, 0], t=1)
    scored(run, "20", [1, 0, 0, 0], t=1)
    scored(again, "0", [1, 1, 1, 1], t=5)
    merged(run, first, again)
    delete_run(database, "r3")
    assert ask(PAIRED) == [("r1", "r2", 4, 1, 0, None)]
    delete_run(database, "r1")
    assert ask(PAIRED) == []
    assert ask("select count(*) from pairing_due") == [(0,)]


def test_a_width_whose_only_baseline_is_deleted_is_compared_with_nothing(started, merged, ask, database):
    run, baseline = started("r1"), started("r2")
    scored(baseline, "0", [1, 1, 0, 0], t=1)
    scored(run, "20", [1, 0, 0, 0], t=1)
    merged(run, baseline)
    assert ask(PAIRED) == [("r1", "r2", 4, 1, 0, None)]
    delete_run(database, "r2")
    assert ask("select count(*) from paired_deltas") == [(0,)]


def test_widths_that_were_asked_different_questions_are_not_compared(started, merged, ask):
    run, baseline = started("r1"), started("r2", requests_hash="another")
    scored(baseline, "0", [1, 1, 0, 1], t=1)
    scored(run, "20", [0, 0, 1, 1], t=2)
    merged(run, baseline)
    assert ask(PAIRED) == []
    assert ask("select value, baseline from baseline_deltas") == [(0.5, None)]


def test_questions_that_nobody_knows_are_compared_but_not_paired(started, merged, ask):
    problem = "nothing says whether the two were asked the same questions"
    run, baseline = started("r1"), started("r2", requests_hash=None)
    scored(baseline, "0", [1, 1, 0, 1])
    scored(run, "20", [0, 0, 1, 1])
    merged(run, baseline)
    assert ask(PAIRED) == [("r1", "r2", None, None, None, problem)]
    assert ask("select stderr_kind, unpaired_because from delta_statistics") == [("binomial", problem)]


def test_other_documents_are_not_paired(started, merged, ask):
    run = started("r1")
    scored(run, "0", [1, 1, 0, 1])
    scored(run, "20", [0, None, 1, 1])
    merged(run)
    assert ask("select problem from paired_deltas") == [("the two were scored on different documents",)]


def test_values_that_do_not_give_the_recorded_metric_are_not_believed(started, merged, ask):
    run = started("r1")
    scored(run, "0", [1, 1, 0, 1])
    scored(run, "20", [0, 0, 1, 1], value=0.7)
    merged(run)
    assert ask("select problem, estimator, lost from paired_deltas") == [
        ("no known way to sum the documents up gives the recorded values", None, None)
    ]


def test_without_samples_the_reported_standard_errors_are_used(started, merged, ask, metric):
    run = started("r1")
    run.cell("0", "piqa", metrics=[metric("acc", 0.5, stderr=0.03)])
    run.cell("20", "piqa", metrics=[metric("acc", 0.7, stderr=0.04)])
    merged(run)
    assert ask("select stderr, stderr_kind, p_kind, verdict, unpaired_because from delta_statistics") == [
        (pytest.approx(0.05), "unpaired", "z, unpaired", "gain", "there are no results per document")
    ]


def test_a_group_is_made_of_its_tasks_by_size(started, merged, ask):
    run = started("r1")
    for task, full, pruned in (("law", [1, 1], [1, 0]), ("art", [1, 0, 1, 1], [0, 0, 1, 0])):
        ask_questions(run, task)
        scored(run, "0", full, task=task, part_of="mmlu")
        scored(run, "20", pruned, task=task, part_of="mmlu")
    run.cell("0", "mmlu", 5 / 6, is_group=True)
    run.cell("20", "mmlu", 2 / 6, is_group=True)
    merged(run)
    assert ask(
        "select estimator, pairs, parts, lost, gained, paired_stderr, clustered_stderr from paired_deltas "
        "where task = 'mmlu'"
    ) == [("mean by size", 6, 2, 3, 0, pytest.approx((0.25 / 9 + 1 / 27) ** 0.5), pytest.approx(0.0))]


def test_a_group_may_be_the_mean_of_its_tasks_means(started, merged, ask):
    run = started("r1")
    for task, full, pruned in (("law", [1, 1], [1, 0]), ("art", [1, 0, 1, 1], [0, 0, 0, 0])):
        ask_questions(run, task)
        scored(run, "0", full, task=task, part_of="both")
        scored(run, "20", pruned, task=task, part_of="both")
    run.cell("0", "both", (1 + 0.75) / 2, is_group=True)
    run.cell("20", "both", 0.25, is_group=True)
    merged(run)
    assert ask("select estimator, clustered_stderr from paired_deltas where task = 'both'") == [
        ("mean of means", pytest.approx(0.125))
    ]


def test_cut_off_before_the_comparison_the_next_merge_makes_it(started, ask, database, monkeypatch):
    run = started("r1")
    scored(run, "0", [1, 1, 0, 1])
    scored(run, "20", [0, 0, 1, 1])
    with monkeypatch.context() as patched:
        patched.setattr(pairing, "_compare", lambda con, about: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            merge.merge_run(database, run.folder)
    assert ask(PAIRED) == []
    assert merge.merge_run(database, run.folder) == 0
    assert ask(PAIRED) == [("r1", "r1", 4, 2, 1, None)]


def test_out_of_time_the_rest_is_left_for_later(started, ask, database, monkeypatch):
    run = started("r1")
    scored(run, "0", [1, 1, 0, 1])
    scored(run, "20", [0, 0, 1, 1])
    with monkeypatch.context() as patched:
        patched.setattr(merge, "_PAIRING_SECONDS", -1.0)
        merge.merge_run(database, run.folder)
    assert ask(PAIRED) == []
    merge.merge_run(database, run.folder)
    assert ask(PAIRED) == [("r1", "r1", 4, 2, 1, None)]


def test_pairs_that_are_there_are_not_compared_again(started, merged, database, monkeypatch, ask):
    run = started("r1")
    scored(run, "0", [1, 1, 0, 1])
    scored(run, "20", [0, 0, 1, 1])
    merged(run)
    monkeypatch.setattr(pairing, "_compare", lambda con, about: pytest.fail("compared again"))
    merged(run)


def test_a_rebuild_gives_the_same(started, merged, database, ask):
    run = started("r1")
    scored(run, "0", [1, 1, 0, 1])
    scored(run, "20", [0, 0, 1, 1])
    merged(run)
    before = ask("from paired_deltas order by all")
    assert pairing.rebuild(database) == 1
    assert ask("from paired_deltas order by all") == before


def test_there_is_nothing_to_rebuild_without_a_file(database):
    with pytest.raises(UserError, match="There is no database"):
        pairing.rebuild(database)
    assert not database.exists()


@pytest.mark.slow
def test_what_an_earlier_version_could_not_compare_is_compared_by_a_rebuild(started, merged, database, ask):
    run = started("r1")
    scored(run, "0", [1, 1, 0, 1])
    scored(run, "20", [0, 0, 1, 1])
    merged(run)
    with db.open_write(database) as con:
        con.execute("update paired_deltas set estimator = null, problem = 'unknown', mcnemar_p = null")
    merged(run)
    assert ask("select problem from paired_deltas") == [("unknown",)]
    pairing.rebuild(database)
    assert ask("select problem, estimator, mcnemar_p from paired_deltas") == [(None, "mean", 1.0)]


@pytest.mark.slow
def test_intervals_that_an_earlier_version_did_not_keep_are_found_by_the_next_merge(started, merged, database, ask):
    run = started("r1")
    scored(run, "0", [1, 1, 0, 1])
    scored(run, "20", [0, 0, 1, 1])
    merged(run)
    change = "select ci_low, ci_high, p_value, unpaired_because from delta_statistics"
    before = ask(change)
    with db.open_write(database) as con:
        con.execute("update paired_deltas set share_low = null, share_high = null, share_p = null")
        assert con.execute(change).fetchall() == [(None, None, None, "not compared yet")]
    merged(run)
    assert ask(change) == before


def classified(run, level: str, chosen: Sequence[int], right: Sequence[int], metric: str, value: float):
    """A cell whose metric is one of all documents at once, with the classes of each."""
    name = f"{level}-{run.seq}.parquet"
    terms = [[float(a), float(b)] for a, b in zip(right, chosen, strict=True)]
    rows = [(i, "none", metric, None, None, str(b), one) for i, (b, one) in enumerate(zip(chosen, terms, strict=True))]
    pl.DataFrame(rows, schema=SCHEMA | {"terms": pl.List(pl.Float64)}, orient="row").write_parquet(
        run.folder / "samples" / name
    )
    scores = [{"metric": metric, "filter": "none", "value": value, "stderr": 0.2, "n": len(right),
               "higher_is_better": True}]  # fmt: skip
    run.cell(level, "piqa", metrics=scores, samples=f"samples/{name}")


def test_f1_is_resampled_in_pairs_though_no_document_has_one(started, merged, ask):
    right, before, after = [1, 1, 1, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 1, 0], [1, 0, 1, 0, 1, 1, 0, 0]
    run = started("r1")
    classified(run, "0", before, right, "f1", f1_score(right, before))
    classified(run, "20", after, right, "f1", f1_score(right, after))
    merged(run)
    ((kind, test, estimator, pairs, agreement, stderr, unpaired),) = ask(
        "select stderr_kind, p_kind, estimator, pairs, agreement, stderr, unpaired_stderr from delta_statistics"
    )
    assert (kind, test, estimator, pairs, agreement) == ("bootstrap", "bootstrap", "F1", 8, 5 / 8)
    assert 0 < stderr < unpaired


def test_without_classes_f1_stays_unpaired_and_says_why(started, merged, ask):
    """As in files from before classes were recorded."""
    run = started("r1")
    for level, value in (("0", 0.8), ("20", 0.5)):
        name = f"{level}.parquet"
        rows = [(i, "none", "f1", None, None, "0") for i in range(4)]
        pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(run.folder / "samples" / name)
        scores = [{"metric": "f1", "filter": "none", "value": value, "stderr": 0.3, "n": 4, "higher_is_better": True}]
        run.cell(level, "piqa", metrics=scores, samples=f"samples/{name}")
    merged(run)
    assert ask("select stderr_kind, unpaired_because from delta_statistics") == [
        ("unpaired", "no known way to sum the documents up gives the recorded values")
    ]


def test_without_any_error_the_number_of_questions_gives_one(new_run, merged, ask, metric):
    """As for the published scores: of a whole benchmark, without an error or a number of documents."""
    run = new_run("r1")
    run.start()
    for level, value in (("0", 0.5), ("20", 0.4), ("40", 0.0)):
        run.cell(level, "winogrande", metrics=[metric("acc", value, n=None)])
    merged(run)
    stderr = ((0.5 * 0.5 + 0.4 * 0.6) / 1267) ** 0.5
    assert ask("select stderr, stderr_kind, p_kind, verdict, questions from delta_statistics order by pruning_pct") == [
        (pytest.approx(stderr), "binomial", "z, binomial", "loss", 1267),
        (pytest.approx(0.5 / 1267**0.5, rel=0.01), "binomial", "z, binomial", "loss", 1267),
    ]


def test_where_the_number_of_questions_says_nothing_there_is_no_error(new_run, merged, ask, metric):
    tasks = {
        "5": [("winogrande", "acc")],
        "all": [("my_task", "acc"), ("ifeval", "inst_level_strict_acc"), ("wikitext", "word_perplexity")],
    }
    for documents, measured in tasks.items():
        run = new_run(f"r{documents}")
        run.start(conditions={"documents": documents})
        for task, name in measured:
            for level, value in (("0", 0.5), ("20", 0.4)):
                run.cell(level, task, metrics=[metric(name, value, n=None)])
        merged(run)
    assert ask("select stderr, stderr_kind, ci_low, p_value from delta_statistics") == [(None,) * 4] * 4


def test_models_without_samples_are_compared_together_and_others_apart(started, new_run, merged, database):
    sampled = started("r1")
    scored(sampled, "0", [1, 1, 0, 1])
    others = [new_run(name) for name in ("r2", "r3")]
    for run in others:
        run.start(model=f"model of {run.folder.name}")
        run.cell("0", "piqa", 0.5)
        run.cell("20", "piqa", 0.4)
    merged(sampled, *others)
    with db.open_write(database) as con:
        con.execute(statements.query("pairing_note_all"))
        batches = [batch["tasks"] for batch in pairing._batches(con)]
        assert batches == [["piqa"], ["piqa", "piqa"]]
        assert pairing.refresh(con)
