"""The metrics that are known say what lm-eval and the views say of them."""

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


def test_the_order_of_headlines_is_that_of_the_view(ask_empty):
    ranked = [(m.name, m.preference, m.kind) for m in metrics().values() if m.preference is not None]
    assert sorted(ranked) == ask_empty("select metric, preference, kind from metric_order order by metric")


@pytest.mark.parametrize(("macro", "field"), [("is_perplexity", "factor"), ("is_share", "share")])
def test_what_statistics_take_a_metric_for_is_the_same_in_sql(ask_empty, macro: str, field: str):
    found = dict(ask_empty(f"select name, {macro}(name) from (select unnest(?) as name)", list(metrics())))
    assert found == {name: getattr(metric, field) for name, metric in metrics().items()}


def test_the_macros_name_no_metric_that_is_not_known(ask_empty):
    quoted = "select unnest(regexp_extract_all(macro_definition, '''([^'']+)''', 1)) from duckdb_functions()"
    named = {name for (name,) in ask_empty(f"{quoted} where function_name in ('is_perplexity', 'is_share')")}
    assert named - {"prompt_level_"} <= set(metrics())


def test_the_better_direction_is_lm_evals():
    known = {name: higher_is_better_registry.get(name) for name in metrics() if name in higher_is_better_registry}
    assert {"acc", "bleu", "brier_score", "word_perplexity"} <= set(known)
    assert known == {name: higher_is_better(name) for name in known}


def test_a_metric_that_is_not_known_is_taken_for_a_score():
    assert higher_is_better("own_metric")


def test_guessing_has_a_score_where_choices_are_counted_or_answers_are_open():
    assert guessed("choices") == {"acc", "acc_norm", "acc_bytes"}
    assert guessed("open") == {"acc", "exact_match"}


def test_the_rank_of_no_two_metrics_is_the_same():
    ranks = [metric.preference for metric in metrics().values() if metric.preference is not None]
    assert len(ranks) == len(set(ranks)) > 0
