"""The study's claims, told from what is in the warehouse."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from cases import one_in
from claims_of import AS_THE_STUDY_SAYS, LEVELS, WIDTHS, answer, reading
from statsmodels.api import WLS, add_constant
from template import copied

from warehouse.store import db

FINDINGS = "select claim, model, verdict from claim_findings order by claim, model"
VERDICTS = "select claim, verdict from claims"
ONE_B, INSTRUCT, THREE_B = (f"meta-llama/Llama-3.2-{name}" for name in ("1B", "1B-Instruct", "3B"))

# As AS_THE_STUDY_SAYS, but for the scores.
THE_OTHER_WAY_ROUND = {
    "ifeval": ((0.30, 0.25, 0.20, 0.10), (0.30, 0.25, 0.20, 0.10)),
    "leaderboard_musr": ((0.36, 0.36, 0.36, 0.36), (0.34, 0.40, 0.45, 0.50)),
    "truthfulqa_mc2": ((0.52, 0.47, 0.42, 0.37), (0.52, 0.47, 0.42, 0.37)),
    "truthfulqa_mc1": ((0.25, 0.25, 0.25, 0.25), (0.23, 0.28, 0.30, 0.32)),
    "mmlu": ((0.70, 0.60, 0.30, 0.28), (0.60, 0.59, 0.58, 0.57)),
    "gsm8k": ((0.50, 0.49, 0.49, 0.48), (0.60, 0.60, 0.60, 0.60)),
    "boolq": ((0.85, 0.70, 0.60, 0.55), (0.80, 0.80, 0.80, 0.80)),
    "wikitext": ((10, 11, 12, 13), (8, 9, 10, 11)),
    "lambada_openai": ((5, 50, 55, 60), (4, 4.1, 4.2, 4.3)),
    "hellaswag": ((0.60, 0.60, 0.60, 0.30), (0.70, 0.70, 0.70, 0.30)),
    "piqa": ((0.80, 0.80, 0.80, 0.60), (0.80, 0.80, 0.80, 0.60)),
    "winogrande": ((0.70, 0.70, 0.70, 0.50), (0.70, 0.70, 0.70, 0.50)),
}


@pytest.fixture
def ask(database: Path) -> Callable[..., list[tuple]]:
    return partial(answer, database)


@pytest.fixture(scope="module")
def published(study, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("published") / "results.duckdb"
    copied(study, path)
    return path


@pytest.fixture(scope="module")
def of_the_study(published):
    with reading(published) as con:
        return {(claim, model): verdict for claim, model, verdict in con.execute(FINDINGS).fetchall()}


@pytest.fixture
def family(new_run, merged, metric):
    """Merges two sizes of a family with these scores; `stderr` is of every score that is no perplexity."""

    def write(scores, *, sizes=("1B", "3B"), levels=LEVELS, stderr: float | None = 0.01, documents="all") -> None:
        runs = []
        for index, size in enumerate(sizes):
            run = new_run(f"r{size}")
            run.start(
                model=f"org/Made-{size}",
                weights=size,
                widths=WIDTHS,
                scale=(1, 3)[index],
                conditions={"documents": documents},
            )
            for task, values in scores.items():
                name = {"wikitext": "word_perplexity", "lambada_openai": "perplexity"}.get(task, "acc")
                error = stderr if name == "acc" else None
                for level, value in zip(LEVELS, values[index], strict=True):
                    if level in levels:
                        run.cell(level, task, metrics=[metric(name, value, stderr=error, n=None)])
            runs.append(run)
        merged(*runs)

    return write


@pytest.mark.slow
def test_the_published_study_supports_some_of_its_claims(of_the_study):
    """What each verdict rests on; the errors are those of docs/evidence/published-reread.md."""
    verdicts = {}
    for (claim, model), verdict in of_the_study.items():
        verdicts.setdefault(claim, {})[model] = verdict
    # 12 of 12 levels of the base models are up, and their means clear of zero; Instruct loses half at every level.
    assert verdicts[1] == {ONE_B: "supported", THREE_B: "supported", INSTRUCT: "not supported"}
    # The 1B is up at 6 of 6 levels, 1 beyond noise, but neither its mean nor the difference to the 3B is.
    assert verdicts[2] == {ONE_B: "mixed"}
    # 1.2 points for each 10 %, ± 0.6, in both base models; 0.0 ± 0.7 in Instruct.
    assert verdicts[3] == {ONE_B: "supported", THREE_B: "supported", INSTRUCT: "not supported"}
    # 756 and 817 questions: a point of MC1 is within noise at each level, and both models start at chance.
    assert verdicts[4] == {ONE_B: "not supported"}
    # In percent of the score the 3B loses more; from chance the 1B keeps 2 % of its MMLU at 10 %, the 3B 59 %.
    assert verdicts[5] == {ONE_B: "mixed"}
    # The 3B's LAMBADA grows faster than any exponential: R² of its logarithm is 0.85.
    assert verdicts[6] == {ONE_B: "supported", THREE_B: "mixed", INSTRUCT: "supported"}
    # The 3B's LAMBADA grows more at 60 % only; at 10 to 50 % the 1B's does.
    assert verdicts[7] == {ONE_B: "not supported"}
    # 40 % and 10 % come out, but the 1B's 60 % is a third of a point behind its 40 %.
    assert verdicts[8] == {ONE_B: "mixed"}
    # -66, -81 and -80 % on average, beyond noise at every level.
    assert verdicts[9] == {ONE_B: "supported", THREE_B: "supported", INSTRUCT: "supported"}
    # Lines explain 98 to 99 %; the 1B's WinoGrande 84 %, the rest being no more than its noise. Instruct: not measured.
    assert verdicts[10] == {ONE_B: "supported", THREE_B: "supported"}
    # MMLU is lost at each level, IFEval and MC2 at none; Instruct loses IFEval at each.
    assert verdicts[11] == {ONE_B: "supported", THREE_B: "supported", INSTRUCT: "not supported"}


@pytest.mark.slow
def test_a_claim_is_mixed_where_models_differ(published):
    with reading(published) as con:
        assert dict(con.execute(VERDICTS).fetchall()) == {
            1: "mixed", 2: "mixed", 3: "mixed", 4: "not supported", 5: "mixed", 6: "mixed", 7: "not supported",
            8: "mixed", 9: "supported", 10: "supported", 11: "mixed",
        }  # fmt: skip
        ((counts),) = con.execute(
            "select supporting, mixed, opposing, cannot_tell, len(findings) from claims where claim = 1"
        ).fetchall()
    assert counts == (2, 0, 1, 0, 3)


def test_what_is_said_are_the_studys_numbers(published):
    with reading(published) as con:
        said = {
            (claim, model): says
            for claim, model, says in con.execute("select claim, model, says from claim_findings").fetchall()
        }
    assert said[1, ONE_B].startswith("IFEval better at 6 of 6 levels, 1 beyond noise; mean change +4.5 points (+0.6 ")
    assert "from chance at 10 % the smaller keeps 2 %, the larger 59 %" in said[5, ONE_B]
    assert said[4, ONE_B].endswith("unpruned at chance: both")
    assert said[7, ONE_B].startswith("LAMBADA grows more in the larger at 1 of 6 levels; for each 10 % ×3.04 ")
    assert said[8, ONE_B].startswith(
        "of 6 levels in common the smaller's best is 40 % (second 60 %, within noise), the larger's 10 % (the only one "
    )
    assert said[11, THREE_B] == "at 6 of 6 levels; clearly worse: MMLU at 6, IFEval at 0, TruthfulQA-MC2 at 0"


def test_changes_have_the_verdicts_of_the_study_read_again(published):
    """docs/evidence/published-reread.md computes the same in Python: 8 improvements and 71 losses are beyond noise."""
    with reading(published) as con:
        counted = con.execute(
            "select count(*) filter (verdict = 'gain'), count(*) filter (verdict = 'loss') from claim_changes "
            "where model not like '%Instruct'"
        ).fetchall()
    assert counted == [(8, 71)]


def test_lines_are_those_of_statsmodels(published):
    with reading(published) as con:
        points = con.execute(
            "select pruning_pct / 10, value, value_stderr from claim_changes "
            "where task = 'truthfulqa_mc2' and model = $1 union "
            "select 0, baseline, baseline_stderr from claim_changes where task = 'truthfulqa_mc2' and model = $1",
            [ONE_B],
        ).fetchall()
        ((slope, stderr, r2),) = con.execute(
            "select slope, slope_stderr, line_r2 from claim_series where task = 'truthfulqa_mc2' and model = ?", [ONE_B]
        ).fetchall()
        perplexities = con.execute(
            "select pruning_pct / 10, value from headline_metrics where task = 'lambada_openai' and model = ?",
            [THREE_B],
        ).fetchall()
        ((growth, growth_stderr, log_r2),) = con.execute(
            "select log_slope, log_slope_stderr, log_r2 from claim_series where task = 'lambada_openai' and model = ?",
            [THREE_B],
        ).fetchall()
    x, y, errors = np.array(points).T
    weighted = WLS(y, add_constant(x), weights=errors**-2).fit(cov_type="fixed scale")
    assert (slope, stderr) == (pytest.approx(weighted.params[1]), pytest.approx(weighted.bse[1]))
    assert r2 == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)
    x, y = np.array(perplexities).T
    logarithmic = WLS(np.log(y), add_constant(x)).fit()
    assert (growth, growth_stderr, log_r2) == pytest.approx(
        (logarithmic.params[1], logarithmic.bse[1], logarithmic.rsquared)
    )


def test_an_empty_file_cannot_tell_and_says_what_is_missing(database, ask):
    with db.open_write(database):
        pass
    rows = ask("select claim, verdict, missing, needs from claims")
    assert [row[:2] for row in rows] == [(claim, "cannot tell") for claim in range(1, 12)]
    assert all(missing == needs for *_, missing, needs in rows)


@pytest.mark.slow
def test_all_are_supported_where_it_is_as_the_study_says(family, ask):
    family(AS_THE_STUDY_SAYS)
    assert ask(VERDICTS) == [(claim, "supported") for claim in range(1, 12)]


@pytest.mark.slow
def test_none_is_supported_where_it_is_the_other_way_round(family, ask):
    family(THE_OTHER_WAY_ROUND)
    assert ask(VERDICTS) == [(claim, "not supported") for claim in range(1, 12)]


@pytest.mark.slow
def test_noise_takes_the_support_away(family, ask):
    """The same figures with errors of 20 points: nothing that needs a test is supported any more."""
    family(AS_THE_STUDY_SAYS, stderr=0.2)
    verdicts = dict(ask(VERDICTS))
    assert {claim: verdicts[claim] for claim in (1, 2, 3, 4, 5, 9, 10, 11)} == dict.fromkeys(
        (1, 2, 3, 4, 5, 9, 10, 11), "not supported"
    )
    assert verdicts[8] == "mixed"


@pytest.mark.parametrize(("stderr", "noise"), one_in(2, [(0.001, False), (0.3, True)]))
def test_what_is_off_a_line_is_noise_where_errors_are_as_large(family, ask, stderr, noise):
    family({"hellaswag": ((0.6, 0.3, 0.5, 0.2), (0.6, 0.3, 0.5, 0.2))}, stderr=stderr)
    assert ask("select distinct scatter_is_noise from claim_series") == [(noise,)]


@pytest.mark.slow
def test_one_size_cannot_tell_of_sizes(family, ask):
    family(AS_THE_STUDY_SAYS, sizes=("1B",))
    verdicts = dict(ask(VERDICTS))
    assert [claim for claim, verdict in verdicts.items() if verdict == "cannot tell"] == [2, 4, 5, 7, 8]
    assert ask("select missing = needs from claims where claim = 2") == [(True,)]


def test_sizes_measured_under_other_conditions_are_no_pair(family, ask):
    family({task: (one, one) for task, (one, _) in AS_THE_STUDY_SAYS.items()}, sizes=("1B",))
    family(AS_THE_STUDY_SAYS, sizes=("3B",), documents="5")
    assert ask("from claim_pairs") == []


@pytest.mark.slow
def test_sizes_that_lose_the_same_do_not_support_that_the_larger_loses_more(family, ask):
    family({task: (AS_THE_STUDY_SAYS[task][0],) * 2 for task in ("mmlu", "gsm8k", "boolq")}, stderr=0.0)
    assert ask("select verdict from claim_findings where claim = 5") == [("not supported",)]


@pytest.mark.slow
def test_models_that_cannot_tell_do_not_stand_against_the_others(family, ask):
    scores = {"ifeval": THE_OTHER_WAY_ROUND["ifeval"]}
    family(scores, sizes=("1B",))
    family(scores, sizes=("7B",), levels=("0", "10"))
    assert ask("select verdict, opposing, cannot_tell from claims where claim = 1") == [("not supported", 1, 1)]


def test_other_families_are_no_pair(new_run, merged, ask):
    for name, scale in (("Llama-3.2-1B", 1), ("Qwen2.5-3B", 3)):
        run = new_run(name)
        run.start(model=f"org/{name}", weights=name, scale=scale)
        run.cell("0", "piqa", 0.5)
        run.cell("20", "piqa", 0.4)
        merged(run)
    assert ask("from claim_pairs") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scores", "levels", "claim", "missing"),
    one_in(
        3,
        [
            (AS_THE_STUDY_SAYS, ("0", "10"), 1, "org/Made-1B: IFEval at 1 pruned levels only"),
            (AS_THE_STUDY_SAYS, ("0", "10", "20"), 6, "org/Made-1B: LAMBADA at 2 pruned levels only"),
            (AS_THE_STUDY_SAYS, ("0", "10"), 11, "with standard errors, at 1 pruned levels only"),
            (
                {"mmlu": AS_THE_STUDY_SAYS["mmlu"]},
                LEVELS,
                5,
                "org/Made-1B and org/Made-3B: 1 more benchmark to tell from",
            ),
            ({"piqa": AS_THE_STUDY_SAYS["piqa"]}, LEVELS, 10, "org/Made-1B: 1 more benchmark to tell from"),
            ({"mmlu": AS_THE_STUDY_SAYS["mmlu"]}, LEVELS, 8, "what the rule `study` needs at 0 levels in common only"),
        ],
    ),
)
def test_what_was_not_measured_is_named(family, ask, scores, levels, claim, missing):
    family(scores, levels=levels)
    ((verdict, told),) = ask(f"select verdict, missing from claims where claim = {claim}")
    assert verdict == "cannot tell"
    assert missing in told


def test_a_score_without_an_error_gets_the_binomial_one(family, ask):
    family({"ifeval": AS_THE_STUDY_SAYS["ifeval"]}, stderr=None)
    ((stderr, kind),) = ask("select stderr, stderr_kind from claim_changes where model like '%1B' and pruning_pct = 10")
    assert kind == "binomial"
    assert stderr == pytest.approx(math.sqrt((0.1 * 0.9 + 0.2 * 0.8) / 541))


def test_an_error_that_cannot_be_given_is_missed(family, ask):
    """A task whose number of questions is not known."""
    family({"my_task": AS_THE_STUDY_SAYS["ifeval"]}, stderr=None)
    assert ask("select distinct stderr, verdict from claim_changes") == [(None, None)]


def test_numbers_are_those_of_the_claims_benchmarks(published):
    with reading(published) as con:
        rows = con.execute(
            "select claim, list(distinct benchmark order by benchmark) from claim_numbers group by 1 order by 1"
        ).fetchall()
        ((value, baseline, verdict),) = con.execute(
            "select value, baseline, verdict from claim_numbers "
            "where claim = 2 and model = 'meta-llama/Llama-3.2-1B' and pruning_pct = 40"
        ).fetchall()
    assert dict(rows)[11] == ["IFEval", "MMLU", "TruthfulQA-MC2"]
    assert len(rows) == 11
    assert (value, baseline, verdict) == (0.4286, 0.3399, "gain")


VIEWS_OF_CHOSEN = (
    "select * from claim_findings_of({chosen}) order by all",
    "select * exclude (missing, findings) from claims_of({chosen}) order by all",
)


@pytest.mark.slow
@pytest.mark.parametrize("view", one_in(2, VIEWS_OF_CHOSEN))
def test_chosen_models_are_told_as_if_they_were_all(new_run, merged, metric, family, ask, database, view):
    """A third size beside the pair adds nothing to what the pair says."""
    family(AS_THE_STUDY_SAYS)
    ((chosen,),) = ask("select list(distinct model_id) from models")
    alone = ask(view.format(chosen="null::varchar[]"))
    third = new_run("third")
    third.start(model="org/Made-7B", weights="7B", widths=WIDTHS, scale=7)
    for task, values in AS_THE_STUDY_SAYS.items():
        for level, value in zip(LEVELS, values[0], strict=True):
            third.cell(level, task, metrics=[metric("acc", value, stderr=0.01, n=None)])
    merged(third)
    assert ask(view.format(chosen=chosen)) == alone
    assert ask(view.format(chosen="null::varchar[]")) != alone
