"""The views' figures against SciPy and statsmodels, on the samples of a real run of the demo."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from template import once

from engine.planning.plan import RunPlan
from engine.planning.suites import SUITES
from engine.runs import launch
from engine.runs.rundir import RunDir, runs_root
from warehouse.records.level import parse_levels
from warehouse.stats.paired_shares import interval
from warehouse.store import db

HERE = Path(__file__).parent
FACTS = ["demo_facts_animals", "demo_facts_foods", "demo_facts_towns"]
ACCURACIES = [("demo_grammar", "acc"), ("demo_sums", "exact_match"), ("demo_instructions", "exact_match")]
PERPLEXITIES = [("demo_lambada", "perplexity"), ("demo_story", "word_perplexity"), ("demo_story", "bits_per_byte")]

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, session_folder: Path) -> Path:
    """The database of a whole demo sweep at three levels, measured once a session."""

    def measure(kept: Path) -> None:
        database = tmp_path_factory.mktemp("demo") / "results.duckdb"
        plan = RunPlan(name="demo", model="demo", levels=tuple(parse_levels("0,30,60")), tasks=SUITES["demo"])
        run = RunDir.create(runs_root(database), plan, database)
        assert launch.start(run).wait(timeout=300) == launch.FINISHED, "\n".join(launch.log_tail(run))
        shutil.copy(database, kept)

    return once(session_folder / "demo_at_three_levels.duckdb", measure)


@pytest.fixture(scope="module")
def statistics(demo: Path) -> Callable[[str, str], Rows]:
    def rows(task: str, metric: str) -> Rows:
        found = _ask(demo, "statistics_of", task=task, metric=metric)
        assert len(found) == 2
        return found

    return rows


@pytest.fixture(scope="module")
def documents(demo: Path) -> Callable[..., Any]:
    """Columns level, task, doc_id, after, before, weight, same of the documents of some tasks, at one level."""

    def frame(level: str, metric: str, *tasks: str) -> Any:
        found = pd.DataFrame(_ask(demo, "documents", tasks=list(tasks), metric=metric))
        return found[found.level == level]

    return frame


def _ask(database: Path, name: str, **parameters: Any) -> Rows:
    with db.open_read(database) as con:
        cursor = con.execute((HERE / f"{name}.sql").read_text(), parameters)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_every_metric_of_the_demo_is_paired(demo):
    with db.open_read(demo) as con:
        assert con.execute("select count(*), count(estimator), count(problem) from paired_deltas").fetchall() == [
            (32, 32, 0)
        ]
        assert con.execute("select count(*) from pairing_due").fetchall() == [(0,)]


@pytest.mark.parametrize(("task", "metric"), ACCURACIES)
def test_paired_standard_errors_flips_and_the_score_test(statistics, documents, task, metric):
    for row in statistics(task, metric):
        found = documents(row["level"], metric, task)
        difference = found.after - found.before
        lost, gained = int((difference < 0).sum()), int((difference > 0).sum())
        assert row["stderr"] == pytest.approx(stats.sem(difference), rel=1e-10)
        assert row["delta"] == pytest.approx(difference.mean(), abs=1e-12)
        told = interval(gained, lost, len(found))
        assert (row["ci_low"], row["ci_high"]) == pytest.approx((float(told.low), float(told.high)), abs=1e-12)
        assert (row["pairs"], row["lost"], row["gained"]) == (len(found), lost, gained)
        assert row["p_value"] == pytest.approx(float(told.p_value), abs=1e-12)
        table = [[0, lost], [gained, 0]]
        assert row["mcnemar_p"] == pytest.approx(vars(mcnemar(table, exact=True))["pvalue"], abs=1e-10)
        assert row["agreement"] == pytest.approx(found.same.astype(bool).mean(), abs=1e-12)
        assert (row["stderr_kind"], row["p_kind"]) == ("paired", "score, paired")


@pytest.mark.parametrize("metric", ["acc", "acc_norm"])
def test_a_groups_standard_error_is_that_of_its_tasks_as_clusters(statistics, documents, metric):
    """statsmodels multiplies by G / (G - 1) as well, and by (N - 1) / (N - k), which is 1 for a mean."""
    for row in statistics("demo_facts", metric):
        found = documents(row["level"], metric, *FACTS)
        difference = found.after - found.before
        fitted = sm.OLS(difference, np.ones(len(found))).fit(
            cov_type="cluster", cov_kwds={"groups": found.task.astype("category").cat.codes}, use_t=True
        )
        assert row["clustered_stderr"] == pytest.approx(float(fitted.bse.iloc[0]), abs=1e-10)
        strata = found.assign(difference=difference).groupby("task").difference
        stratified = np.sqrt((strata.var(ddof=1) * strata.size()).sum()) / len(found)
        assert row["paired_stderr"] == pytest.approx(stratified, abs=1e-10)
        assert row["stderr"] == max(row["clustered_stderr"], row["paired_stderr"])
        told = interval(row["gained"], row["lost"], len(found))
        margin = stats.norm.ppf(0.975) * row["stderr"]
        assert row["p_value"] == pytest.approx(
            max(2 * stats.norm.sf(abs(row["delta"] / row["stderr"])), float(told.p_value)), abs=1e-10
        )
        assert row["ci_low"] == pytest.approx(min(row["delta"] - margin, float(told.low)), abs=1e-10)
        assert row["ci_high"] == pytest.approx(max(row["delta"] + margin, float(told.high)), abs=1e-10)
        assert (row["stderr_kind"], row["p_kind"]) == ("paired, clustered", "score, clustered")


@pytest.mark.parametrize(("task", "metric"), PERPLEXITIES)
def test_perplexities_are_resampled_in_pairs_on_the_log_scale(statistics, documents, task, metric):
    """Two bootstraps of 9999 draws: their standard errors differ by about 1 %, tails somewhat more."""
    for row in statistics(task, metric):
        found = documents(row["level"], metric, task)

        def change(after, before, weight, axis=-1):
            scale = 1.0 if np.isnan(weight).all() else weight.mean(axis=axis)
            ratio = (before.mean(axis=axis) - after.mean(axis=axis)) / scale
            return ratio / np.log(2) if metric == "bits_per_byte" else ratio

        columns = tuple(found[name].to_numpy(dtype=float) for name in ("after", "before", "weight"))
        reference = stats.bootstrap(
            columns, change, paired=True, vectorized=True, n_resamples=9999, method="percentile", rng=7
        )
        ends = reference.confidence_interval
        if metric == "bits_per_byte":  # a logarithm already
            error, low, high = row["stderr"], row["ci_low"], row["ci_high"]
            assert change(*columns) == pytest.approx(row["delta"], rel=1e-9)
            assert row["factor"] is None
        else:
            error, low, high = row["log_stderr"], np.log(row["factor_low"]), np.log(row["factor_high"])
            assert change(*columns) == pytest.approx(np.log(row["factor"]), rel=1e-9)
            assert row["factor"] == pytest.approx(row["value"] / row["baseline"])
            assert row["ci_low"] == pytest.approx(row["baseline"] * (row["factor_low"] - 1))
            assert row["ci_low_pct"] == pytest.approx(100 * (row["factor_low"] - 1))
        assert error == pytest.approx(reference.standard_error, rel=0.05)
        assert low == pytest.approx(ends.low, abs=0.05 * (ends.high - ends.low))
        assert high == pytest.approx(ends.high, abs=0.05 * (ends.high - ends.low))
        assert (row["stderr_kind"], row["p_kind"]) == ("bootstrap", "bootstrap")


def test_holms_correction_is_over_the_headlines_of_one_width(demo):
    with db.open_read(demo) as con:
        widths = con.execute(
            "select list(p_value order by task), list(p_holm order by task), list(verdict order by task), "
            "list(improved order by task) from delta_statistics where is_headline group by pruning_pct"
        ).fetchall()
        assert con.execute("select count(p_holm) from delta_statistics where not is_headline").fetchall() == [(0,)]
    assert len(widths) == 2
    for raw, holm, verdicts, improved in widths:
        answer: Any = multipletests(raw, method="holm")
        rejected, corrected, *_ = answer
        assert len(raw) == 6
        assert holm == pytest.approx(corrected.tolist(), abs=1e-12)
        expected = [("gain" if up else "loss") if out else "noise" for out, up in zip(rejected, improved, strict=True)]
        assert verdicts == expected


def test_what_is_said_of_several_levels_is_corrected_over_the_whole_table(demo):
    with db.open_read(demo) as con:
        rows = con.execute(
            "select p_value, p_table, verdict, table_verdict from delta_statistics where is_headline order by p_value"
        ).fetchall()
    answer: Any = multipletests([row[0] for row in rows], method="holm")
    assert [row[1] for row in rows] == pytest.approx(answer[1].tolist(), abs=1e-12)
    assert len(rows) == 12
    assert all(verdict == table for _, _, verdict, table in rows if table != "noise")


def test_the_widest_pruning_is_a_loss_beyond_noise(statistics):
    assert statistics("demo_sums", "exact_match")[-1]["verdict"] == "loss"


def test_normal_p_values(demo):
    z = [0.0, 1e-12, 0.3, 1.0, -1.96, 5.0, 7.07, 7.08, -12.0, 36.0]
    with db.open_read(demo) as con:
        found = [con.execute("select normal_p($z::double)", {"z": value}).fetchall()[0][0] for value in z]
    assert found == pytest.approx((2 * stats.norm.sf(np.abs(z))).tolist(), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (3, 3), (2, 9), (40, 70), (900, 1100), (5000, 5200)])
def test_mcnemars_p_values(demo, counts):
    lost, gained = counts
    with db.open_read(demo) as con:
        ((found,),) = con.execute("select mcnemar_p($lost, $gained)", {"lost": lost, "gained": gained}).fetchall()
    expected = min(1.0, 2 * stats.binom.cdf(min(counts), sum(counts), 0.5)) if sum(counts) else 1.0
    assert found == pytest.approx(expected, abs=1e-10)


def test_a_run_knows_what_guessing_scores(demo):
    """Of demo_facts' and demo_grammar's choices; an open answer cannot be guessed."""
    with db.open_read(demo) as con:
        found = dict(
            con.execute(
                "select task, any_value(chance) from delta_statistics where is_headline group by task"
            ).fetchall()
        )
    assert found["demo_sums"] == found["demo_instructions"] == 0
    assert found["demo_grammar"] == pytest.approx(0.5)
    assert found["demo_facts"] == pytest.approx(0.25)
    assert found["demo_story"] is None
