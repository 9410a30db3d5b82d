"""The page that reads the study again with intervals."""

from __future__ import annotations

import importlib.util
import math
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import test_proportions_2indep as proportions_test
from template import copied

from warehouse.store import db

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("published_reread", ROOT / "benchmarks" / "published_reread.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def published(study, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("published") / "results.duckdb"
    copied(study, path)
    return path


def test_the_page_is_current(published, script):
    assert (ROOT / "docs/evidence/published-reread.md").read_text(encoding="utf-8") == script.document(published)


def test_the_study_has_38_bold_improvements(published, script):
    assert sum(one.improved for one in script.changes(published)) == 38


def test_the_questions_are_as_many_as_the_benchmarks_have(shared, published):
    """Counted on the rows that lm-eval scores; of MuSR only a part is at hand."""
    manifest = (shared / "data" / "MANIFEST.md").read_text(encoding="utf-8")
    counted = {
        task: max(int(number) for number in re.findall(r"\d+", rows))
        for task, rows in re.findall(r"^\| (\w+) \| (?:test )?\d+ / (\d+)[^|]*\|", manifest, re.MULTILINE)
    }
    with db.open_read(published) as con:
        ours = dict(con.execute("from question_counts").fetchall())
    assert ours.pop("leaderboard_musr") == 250 + 256 + 250
    assert ours == {task: counted[task] for task in ours}


SCORED = {
    "mmlu": "mmlu/*/test", "truthfulqa_mc1": "truthfulqa/validation", "truthfulqa_mc2": "truthfulqa/validation",
    "ifeval": "ifeval/train", "gsm8k": "gsm8k/test", "arc_challenge": "arc_challenge/test",
}  # fmt: skip


def test_the_questions_are_the_rows_that_lm_eval_scores(shared, published):
    """All but MuSR's, of which there are excerpts: 5, 20 and 5 of its questions."""
    folder = shared / "data" / "benchmarks"
    with db.open_read(published, reach=[folder]) as con:
        ours = dict(con.execute("from question_counts").fetchall())
        rows = {
            task: con.execute(
                f"select count(*) from '{folder}/{SCORED.get(task, f'{task}/validation')}.parquet'"
            ).fetchall()[0][0]
            for task in ours
            if task != "leaderboard_musr"
        }
    del ours["leaderboard_musr"]
    assert rows == ours


@pytest.mark.parametrize(
    "task", ["leaderboard_musr", "gsm8k", "ifeval", "arc_challenge", "truthfulqa_mc1", "winogrande"]
)
def test_the_studys_scores_are_shares_of_so_many_questions(published, task):
    """To four decimals, each score is a whole number of right answers; of no smaller number of questions are all."""
    with db.open_read(published) as con:
        scores = [value for (value,) in con.execute(
            "select value from headline_metrics where task = $task", {"task": task}
        ).fetchall()]  # fmt: skip
        ((questions,),) = con.execute(
            "select questions from question_counts where task = $task", {"task": task}
        ).fetchall()
    fitting = (
        n for n in range(100, 2000) if all(abs(round(score * n) / n - score) <= 0.5e-4 + 1e-12 for score in scores)
    )
    assert next(fitting) == questions


def test_binomial_errors_and_holm_are_those_of_statsmodels(published, script):
    with db.open_read(published) as con:
        questions = dict(con.execute("from question_counts").fetchall())
    of_width = [one for one in script.changes(published) if one.model.endswith("3B") and one.pruning_pct == 20]
    scores = [one for one in of_width if one.p_value is not None]
    assert len(scores) == 11
    for one in scores:
        if one.source == "binomial":
            n = questions[one.task]
            counts = (one.value * n, n, one.baseline * n, n)
            z_test: Any = proportions_test(*counts, method="agresti-caffo", compare="diff")
            z = z_test.statistic * math.sqrt((n + 1) / (n + 2))  # a sample's variance, divided by one less
            assert one.p_value == pytest.approx(2 * norm.sf(abs(z)), rel=1e-6, abs=1e-12)
    holm: Any = multipletests([one.p_value for one in scores], method="holm")[1]
    assert [one.p_holm for one in scores] == pytest.approx(list(holm))


def test_perplexities_have_no_error(published, script):
    assert {one.verdict for one in script.changes(published) if one.kind == "perplexity"} == {"no error can be given"}
