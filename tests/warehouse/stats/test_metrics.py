"""The metrics that are known say what lm-eval says of them, and SQL names no others."""

from __future__ import annotations

from pathlib import Path

import lm_eval.api.metrics  # noqa: F401 - fills the registry
import pytest
from lm_eval.api.registry import higher_is_better_registry

from warehouse.stats.metrics import guessed, higher_is_better, metrics
from warehouse.store import db


@pytest.fixture
def ask_empty(database: Path):
    """Rows of a query on a database without results."""
    with db.open_write(database) as con:
        yield lambda sql, *values: con.execute(sql, values).fetchall()


def test_changes_of_perplexities_are_factors_and_bits_are_a_logarithm_already(ask_empty):
    found = ask_empty("select name from (select unnest(?) as name) where is_perplexity(name)", list(metrics()))
    assert {name for (name,) in found} == {"perplexity", "word_perplexity", "byte_perplexity"}


def test_shares_are_of_questions_and_no_other_number_between_0_and_1(ask_empty):
    found = ask_empty("select name from (select unnest(?) as name) where not is_share(name)", list(metrics()))
    others = {"f1", "macro_f1", "weighted_f1", "mcc", "brier_score", "bleu", "chrf", "ter", "bits_per_byte"}
    assert others < {name for (name,) in found}
    shares = set(metrics()) - {name for (name,) in found}
    assert {"acc", "acc_norm", "acc_bytes", "exact_match", "em", "pass@1", "prompt_level_loose_acc"} < shares


def test_sql_names_no_metric_that_is_not_known(ask_empty):
    quoted = "select unnest(regexp_extract_all(macro_definition, '''([^'']+)''', 1)) from duckdb_functions()"
    named = {name for (name,) in ask_empty(f"{quoted} where function_name in ('is_perplexity', 'is_share')")}
    ranked = {name for (name,) in ask_empty("select metric from metric_order")}
    assert (named | ranked) - {"prompt_level_"} <= set(metrics())


def test_the_better_direction_is_lm_evals():
    known = {name: higher_is_better_registry.get(name) for name in metrics() if name in higher_is_better_registry}
    assert {"acc", "bleu", "brier_score", "word_perplexity"} <= set(known)
    assert known == {name: higher_is_better(name) for name in known}


def test_a_metric_that_is_not_known_is_taken_for_a_score():
    assert higher_is_better("own_metric")


def test_guessing_has_a_score_where_choices_are_counted_or_answers_are_open():
    assert guessed("choices") == {"acc", "acc_norm", "acc_bytes"}
    assert guessed("open") == {"acc", "exact_match"}


def test_scores_stand_for_a_task_before_perplexities_and_normalised_accuracy_before_all(ask_empty):
    ranked = ask_empty("select metric, kind from metric_order order by preference")
    perplexities = ["word_perplexity", "perplexity", "byte_perplexity", "bits_per_byte"]
    scores = ["acc_norm", "acc", "exact_match", "prompt_level_strict_acc", "pass@1", "f1", "mcc"]
    assert ranked == [
        *((name, "score") for name in scores), *((name, "perplexity") for name in perplexities),
        ("kl_divergence", "damage"), ("top1_agreement", "damage"),
    ]  # fmt: skip


def test_the_rank_of_no_two_metrics_is_the_same(ask_empty):
    assert ask_empty("select count(*) - count(distinct preference) from metric_order") == [(0,)]
