"""Two runs side by side: same, within noise, different, and where."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl
import pytest
from cases import one_in
from scipy import stats

from warehouse.errors import UserError
from warehouse.read.run_diff import Document, RunDiff, diff_runs
from warehouse.stats.hypothesis_tests import holm, mcnemar, z_test


def write_samples(run, level: str, task: str, scores: Sequence[float], answers: list[str] | None = None) -> str:
    name = f"samples/{level}-{task}-1.parquet"
    pl.DataFrame(
        {
            "doc_id": pl.Series(range(len(scores)), dtype=pl.Int32),
            "filter": "none",
            "metric": "acc",
            "value": pl.Series(scores, dtype=pl.Float64),
            "weight": pl.Series([None] * len(scores), dtype=pl.Float64),
            "response": answers or ["0"] * len(scores),
        }
    ).write_parquet(run.folder / name)
    return name


@pytest.fixture
def compare(new_run, merged, database):
    """Merge two runs of PIQA at 0 % with these scores of documents, and compare them."""

    def runs(a: list[float], b: list[float], **more) -> RunDiff:
        for run_id, scores in (("r1", a), ("r2", b)):
            run = new_run(run_id)
            run.start(widths={"0": 100})
            name = write_samples(run, "0", "piqa", scores, more.get(run_id))
            run.cell("0", "piqa", sum(scores) / len(scores), samples=name)
            merged(run)
        return diff_runs(database, "r1", "r2")

    return runs


def test_runs_that_agree_to_the_last_bit_are_the_same(compare):
    found = compare([1, 0, 1, 0], [1, 0, 1, 0])
    assert found.verdict == "same"
    assert not found.differences
    assert found.numbers[0].documents == 4


def test_equal_numbers_of_other_documents_are_not_the_same(compare):
    found = compare([1, 0, 1, 0], [0, 1, 1, 0])
    (number,) = found.numbers
    assert (found.verdict, number.changed, number.rose, number.fell) == ("within noise", 2, 1, 1)
    assert number.which == (Document("piqa", 0, 1.0, 0.0), Document("piqa", 1, 0.0, 1.0))
    assert number.p == 1.0


def test_other_answers_with_the_same_scores_are_told(compare):
    (number,) = compare([1, 0], [1, 0], r2=["0", "1"]).numbers
    assert (number.verdict, number.answered) == ("same", 1)
    assert "1 answers differ" in number.why


def test_many_documents_that_go_one_way_are_different(compare):
    found = compare([1.0] * 12, [0.0] * 12)
    assert found.verdict == "different"
    assert found.numbers[0].p == pytest.approx(stats.binomtest(0, 12).pvalue)
    assert found.numbers[0].test == "McNemar, exact"


def test_scores_that_are_not_right_or_wrong_take_a_paired_z_test(compare):
    a, b = [-1.0, -2.0, -3.0, -4.0], [-1.1, -1.8, -3.1, -4.1]
    (number,) = compare(a, b).numbers
    changes = [after - before for before, after in zip(a, b, strict=True)]
    error = stats.sem(changes)
    assert number.test == "z, paired"
    assert number.p == pytest.approx(2 * stats.norm.sf(abs(sum(changes) / 4) / error))
    assert number.verdict == "within noise"


def test_documents_that_one_run_lacks_make_a_number_different(compare):
    (number,) = compare([1, 0, 1, 0], [1, 0]).numbers
    assert (number.verdict, number.documents) == ("different", 2)
    assert "2 documents were scored by one run only" in number.why


@pytest.mark.parametrize(
    ("a", "b", "stderr", "verdict"),
    one_in(
        3,
        [
            (0.5, 0.5, None, "same"),
            (math.nan, math.nan, None, "same"),
            (0.5, 0.51, 0.02, "within noise"),
            (0.5, 0.6, 0.02, "different"),
            (0.5, 0.51, None, "different"),
            (0.5, math.nan, 0.02, "different"),
        ],
    ),
)
def test_without_documents_the_standard_errors_decide(new_run, merged, database, metric, a, b, stderr, verdict):
    for run_id, value in (("r1", a), ("r2", b)):
        run = new_run(run_id)
        run.start(widths={"0": 100})
        run.cell("0", "piqa", metrics=[metric("acc", value, stderr=stderr)])
        merged(run)
    assert diff_runs(database, "r1", "r2").verdict == verdict


def test_a_groups_documents_are_those_of_its_parts(new_run, merged, database):
    for run_id, scores in (("r1", [1, 1, 0]), ("r2", [1, 0, 1])):
        run = new_run(run_id)
        run.start(widths={"0": 100})
        run.cell("0", "mmlu_law", sum(scores) / 3, part_of="mmlu", samples=write_samples(run, "0", "mmlu_law", scores))
        run.cell("0", "mmlu", sum(scores) / 3, is_group=True)
        merged(run)
    group = next(one for one in diff_runs(database, "r1", "r2").numbers if one.task == "mmlu")
    assert (group.documents, group.changed) == (3, 2)
    assert {document.task for document in group.which} == {"mmlu_law"}


def test_cells_that_one_run_lacks_are_listed(new_run, merged, database):
    for run_id, levels in (("r1", ("0", "20")), ("r2", ("0", "40"))):
        run = new_run(run_id)
        run.start()
        for level in levels:
            run.cell(level, "piqa", 0.5)
        merged(run)
    found = diff_runs(database, "r1", "r2")
    assert found.verdict == "different"
    assert {(one.level, one.missing_from) for one in found.of("missing")} == {("20", "b"), ("40", "a")}


def test_what_the_runs_were_comes_with_both_values(new_run, merged, database):
    for run_id, weights, torch in (("r1", "w1", "2.13"), ("r2", "w2", "2.14")):
        run = new_run(run_id)
        run.start(weights=weights, widths={"0": 100}, conditions=f"limit {run_id}")
        run.line("attempt", attempt=2, pid=2, host="here", provenance={"versions": {"torch": torch}, "gpu": None})
        run.line("task", task="piqa", part_of=None, version="1", output_type="multiple_choice", num_fewshot=0, n_docs=1,
                 n_requests=2, dataset="piqa", dataset_fingerprint="f", requests_hash=f"h{run_id}")  # fmt: skip
        run.cell("0", "piqa", 0.5)
        merged(run)
    told = {one.what: (one.a, one.b) for one in diff_runs(database, "r1", "r2").differences}
    assert told == {
        "conditions": ("limit r1", "limit r2"),
        "ran on versions torch": ("2.13", "2.14"),
        "model weights_hash": ("w1", "w2"),
        "task piqa requests_hash": ("hr1", "hr2"),
    }


def test_plans_that_differ_and_what_one_side_lacks_are_told(new_run, merged, database):
    gpu = {"name": "H200", "memory": 141}
    for run_id, method, provenance in (("r1", "maw", {"gpu": None}), ("r2", "vow", {"gpu": gpu})):
        run = new_run(run_id)
        run.start(method=method, widths={"0": 100})
        run.line("attempt", attempt=2, pid=2, host="here", provenance=provenance)
        run.cell("0", "piqa", 0.5)
        merged(run)
    told = {one.what: (one.a, one.b) for one in diff_runs(database, "r1", "r2").differences}
    assert told.pop("width 0 method") == ("maw", "vow")
    assert told == {"plan method": ("maw", "vow"), "ran on gpu": (None, gpu)}


def test_another_version_of_a_task_is_different_even_with_an_equal_score(new_run, merged, database):
    for run_id, version in (("r1", "1"), ("r2", "2")):
        run = new_run(run_id)
        run.start(widths={"0": 100})
        run.cell("0", "piqa", 0.5, version=version)
        merged(run)
    (number,) = diff_runs(database, "r1", "r2").numbers
    assert (number.verdict, number.why) == ("different", "task version 1 and 2")


def test_holms_correction_is_over_all_numbers_that_were_tested(new_run, merged, database):
    for run_id, after in (("r1", 0.5), ("r2", 0.545)):
        run = new_run(run_id)
        run.start(widths={"0": 100})
        for index in range(5):
            metrics = [{"metric": "acc", "filter": "none", "value": after, "stderr": 0.0141, "n": 9,
                        "higher_is_better": True}]  # fmt: skip
            run.cell("0", f"task{index}", metrics=metrics)
        merged(run)
    found = diff_runs(database, "r1", "r2")
    assert found.verdict == "within noise"  # each by itself would be significant at 0.024


def test_holm_and_mcnemar_are_those_of_statistics():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    for up, down in ((0, 0), (1, 9), (5, 5), (40, 60)):
        exact = stats.binomtest(up, up + down).pvalue if up + down else 1.0
        assert mcnemar(up, down) == pytest.approx(exact)
    assert mcnemar(1600, 1500) == pytest.approx(stats.binomtest(1600, 3100).pvalue, rel=1e-9)
    assert (z_test(0.1, 0), z_test(0, 0)) == (0.0, 1.0)


def test_runs_that_cannot_be_compared_are_refused(new_run, merged, database):
    for run_id, task in (("r1", "piqa"), ("r2", "boolq")):
        run = new_run(run_id)
        run.start()
        run.cell("0", task, 0.5)
        merged(run)
    for a, b, said in (
        ("r1", "r1", "the same run"), ("r", "r1", "fits 2 runs"),
        ("x", "r1", "no run 'x'"), ("r1", "r2", "no number in"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=said):
            diff_runs(database, a, b)
