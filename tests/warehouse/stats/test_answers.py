"""Which choice a metric takes for the answer, as lm-eval's multiple-choice tasks score it."""

from __future__ import annotations

import math

import pytest

from warehouse.stats.answers import chosen

LIKELIHOODS = [-4.0, -6.0, -5.0]
CHOICES = ["ab", "abcdefgh", "äöü"]


@pytest.mark.parametrize(
    ("metric", "index"),
    [
        ("acc", 0),
        ("f1", 0),
        ("acc_norm", 1),  # -2, -0.75, -1.67 a character
        ("acc_bytes", 1),  # -2, -0.75, -0.83 a byte
        ("acc_mutual_info", 2),  # 1, -1, 4 gained by the question
        ("exact_match", None),
    ],
)
def test_each_metric_has_an_answer_of_its_own(metric, index):
    assert chosen(metric, LIKELIHOODS, choices=CHOICES, unconditional=[-5.0, -5.0, -9.0]) == index


def test_bytes_are_not_characters():
    assert chosen("acc_norm", [-3.0, -2.1], choices=["äöü", "ab"]) == 0
    assert chosen("acc_bytes", [-6.5, -2.1], choices=["äöü", "ab"]) == 1


@pytest.mark.parametrize("metric", ["acc_norm", "acc_bytes", "acc_mutual_info"])
def test_without_what_a_metric_needs_its_answer_is_not_known(metric):
    assert chosen(metric, LIKELIHOODS) is None


def test_no_answer_is_read_from_what_is_no_number():
    assert chosen("acc", [-1.0, math.nan]) is None
    assert chosen("acc", [-math.inf, -math.inf]) == 0


def test_of_equals_the_first_is_taken():
    assert chosen("acc", [-2.0, -1.0, -1.0]) == 1


def test_an_empty_choice_has_no_likelihood_for_a_character():
    assert chosen("acc_norm", [-1.0, -30.0], choices=["", "no"]) == 1
    assert chosen("acc_norm", [0.0, -30.0], choices=["", "no"]) is None
