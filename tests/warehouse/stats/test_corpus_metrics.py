"""Metrics of all documents at once: from sums over documents, what lm-eval makes of the documents themselves."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import one_in
from lm_eval.api import metrics
from lm_eval.tasks.super_glue.cb.aggregate import cb_multi_fi
from sklearn.metrics import f1_score

from warehouse.stats.bootstrap import Bootstrap, bootstrap
from warehouse.stats.metric import Side
from warehouse.stats.metrics import bleu, chrf, ter
from warehouse.stats.per_document import per_document
from warehouse.stats.sums import own_terms

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "dogs",
    "ran",
    "far",
    "away",
    ",",
    "today",
    ".",
    "we",
    "saw",
    "one",
]
TEXT_METRICS = {
    "bleu": (metrics.bleu, bleu.bleu),
    "chrf": (metrics.chrf, chrf.chrf),
    "chrf++": (metrics.chrfpp, chrf.chrf),
    "ter": (metrics.ter, ter.ter),
}
Items = list[Any]


def text(dice: random.Random, most: int = 12) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(dice.randrange(most)))


def texts(dice: random.Random, count: int, references: int) -> Items:
    """Pairs as lm-eval has them: a text, or a list of texts, and what was generated, often much the same."""
    found = []
    for _ in range(count):
        right = [text(dice) for _ in range(references)]
        written = right[0].replace("cat", "dog") if dice.random() < 0.6 else text(dice)
        found.append((right if references > 1 else right[0], written))
    return found


def labels(dice: random.Random, count: int, classes: int, skill: float) -> Items:
    found = []
    for _ in range(count):
        right = dice.randrange(classes)
        found.append((right, right if dice.random() < skill else dice.randrange(classes)))
    return found


def terms(metric: str, items: Items) -> np.ndarray:
    return np.array([per_document(metric, item).terms for item in items])


def side(metric: str, items: Items, recorded: float) -> Side:
    nothing = np.full(len(items), np.nan)
    return Side(nothing, nothing, terms(metric, items), recorded)


def resampled(metric: str, function: Callable[[Items], Any], before: Items, after: Items, **kw: int) -> Bootstrap:
    found = bootstrap(side(metric, before, float(function(before))), side(metric, after, float(function(after))), **kw)
    assert found is not None
    return found


def test_documents_whose_terms_only_one_side_kept_are_no_pair():
    nothing = np.full(2, np.nan)
    known, unknown = Side(nothing, nothing, np.ones((2, 3)), 0.5), Side(nothing, nothing, None, 0.5)
    pairs = [own_terms(3)(*sides) for sides in ((known, unknown), (unknown, known), (unknown, unknown))]
    assert pairs == [None] * 3
    both = own_terms(2, 3)(known, known)
    assert both is not None
    assert own_terms(2)(known, known) is None


@pytest.mark.parametrize("references", [1, 2])
@pytest.mark.parametrize("metric", TEXT_METRICS)
def test_texts_sum_up_to_what_lm_eval_reports(metric, references):
    theirs, ours = TEXT_METRICS[metric]
    dice = random.Random(5)
    for count in (1, 2, 3, 5, 8, 40):
        items = texts(dice, count, references)
        assert float(ours(terms(metric, items).sum(axis=0))) == pytest.approx(theirs(items), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("metric", TEXT_METRICS)
@pytest.mark.parametrize(
    "items", [[("", "")], [("", "a cat")], [("a cat", "")], [("a cat", "dogs")], [("dogs", "a cat")]], ids=str
)
def test_texts_without_a_common_word_are_scored_as_lm_eval_scores_them(metric, items):
    theirs, ours = TEXT_METRICS[metric]
    assert float(ours(terms(metric, items).sum(axis=0))) == pytest.approx(theirs(items), abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "classes", "theirs"),
    one_in(
        5,
        [
            ("weighted F1", 4, lambda items: f1_score(*zip(*items, strict=True), average="weighted")),
            ("F1", 2, metrics.f1_score),
            ("MCC", 2, metrics.matthews_corrcoef),
            ("MCC", 4, metrics.matthews_corrcoef),
            ("macro F1", 3, lambda items: cb_multi_fi([(chosen, right) for right, chosen in items])),
        ],
    ),
)
def test_classes_are_resampled_in_pairs_by_the_rule_that_gives_the_recorded_values(estimator, classes, theirs):
    """Draw by draw against lm-eval's own function; a few hundred say nearly what the usual number of draws does."""
    dice = random.Random(3)
    before, after = labels(dice, 120, classes, 0.8), labels(dice, 120, classes, 0.5)
    after = [(right, chosen) for (right, _), (_, chosen) in zip(before, after, strict=True)]
    drawn = np.random.default_rng(0).integers(0, len(before), size=(300, len(before)), dtype=np.int32)
    deltas = [theirs([after[i] for i in row]) - theirs([before[i] for i in row]) for row in drawn]
    stderr, (low, high) = np.std(deltas, ddof=1), np.quantile(deltas, [0.025, 0.975])
    same = resampled("f1", theirs, before, after, draws=len(drawn))
    assert (same.stderr, same.low, same.high) == pytest.approx((stderr, low, high), rel=1e-9)
    found = resampled("f1", theirs, before, after)
    assert found.estimator == same.estimator == estimator
    assert found.stderr == pytest.approx(stderr, rel=0.08)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.1 * (high - low))


def test_one_draw_is_the_metric_of_the_drawn_documents():
    dice = random.Random(8)
    before, after = labels(dice, 50, 2, 0.9), labels(dice, 50, 2, 0.6)
    chosen = np.random.default_rng(0).integers(0, 50, size=(3, 50), dtype=np.int32)
    deltas = [
        metrics.matthews_corrcoef([after[i] for i in row]) - metrics.matthews_corrcoef([before[i] for i in row])
        for row in chosen
    ]
    found = resampled("mcc", metrics.matthews_corrcoef, before, after, draws=3)
    assert found.stderr == pytest.approx(np.std(deltas, ddof=1), rel=1e-10)
    assert found.low == pytest.approx(np.quantile(deltas, 0.025), rel=1e-10)


@pytest.mark.parametrize("metric", TEXT_METRICS)
def test_texts_are_resampled_in_pairs(metric):
    theirs, _ = TEXT_METRICS[metric]
    dice = random.Random(2)
    before, after = texts(dice, 30, 1), texts(dice, 30, 1)
    after = [(right, written) for (right, _), (_, written) in zip(before, after, strict=True)]
    found = resampled(metric, theirs, before, after, draws=50)
    chosen = np.random.default_rng(0).integers(0, 30, size=(50, 30), dtype=np.int32)
    deltas = [theirs([after[i] for i in row]) - theirs([before[i] for i in row]) for row in chosen]
    assert found.stderr == pytest.approx(np.std(deltas, ddof=1), rel=1e-9)
    assert found.estimator == {"bleu": "BLEU", "ter": "TER"}.get(metric, "chrF")


def test_a_metric_that_no_rule_gives_is_not_resampled():
    items = labels(random.Random(1), 30, 2, 0.7)
    assert bootstrap(side("f1", items, 0.123), side("f1", items, 0.456)) is None


def test_a_brier_score_is_the_mean_of_its_documents():
    items = [(0, np.array([0.7, 0.2, 0.1])), (2, np.array([0.5, 0.3, 0.2]))]
    values = [per_document("brier_score", item).value for item in items]
    assert np.mean([value for value in values if value is not None]) == pytest.approx(metrics.brier_score(items))


@pytest.mark.parametrize("item", [None, "text", ("a", "b"), (1, "b"), (1, 2, 3), {"score": 1}, [[1, 2], [3, 4]]])
def test_what_is_nothing_known_has_no_numbers(item):
    assert per_document("acc", item) == per_document("acc", None)
