"""Accuracy over choices: whether the right one is the model's answer, by four rules of what its answer is."""

from __future__ import annotations

import math
from collections.abc import Iterable

from warehouse.stats.metric import AnswerRule, Choices, Metric
from warehouse.stats.sums import mean


def _by_characters(choices: Choices) -> list[float]:
    return _divided(choices, map(len, choices.texts or ()))


def _by_bytes(choices: Choices) -> list[float]:
    return _divided(choices, (len(text.encode()) for text in choices.texts or ()))


def _by_the_question(choices: Choices) -> list[float]:
    return [given - alone for given, alone in zip(choices.log_likelihoods, choices.unconditional or (), strict=True)]


def _divided(choices: Choices, lengths: Iterable[int]) -> list[float]:
    return [_quotient(value, length) for value, length in zip(choices.log_likelihoods, lengths, strict=True)]


def _quotient(value: float, length: int) -> float:
    """As NumPy divides: a choice without a character has no likelihood for each of them."""
    if length:
        return value / length
    return math.nan if value == 0 or math.isnan(value) else math.copysign(math.inf, value)


METRICS = (
    # LAMBADA's is of answers that are written, not chosen: nothing can be guessed there.
    Metric(
        name="acc",
        higher_is_better=True,
        chance=frozenset({"choices", "open"}),
        again=mean,
    ),
    Metric(
        name="acc_norm",
        higher_is_better=True,
        chance=frozenset({"choices"}),
        answer=AnswerRule(_by_characters, needs="texts"),
        again=mean,
    ),
    Metric(
        name="acc_bytes",
        higher_is_better=True,
        chance=frozenset({"choices"}),
        answer=AnswerRule(_by_bytes, needs="texts"),
        again=mean,
    ),
    Metric(
        name="acc_mutual_info",
        higher_is_better=True,
        answer=AnswerRule(_by_the_question, needs="unconditional"),
    ),
)
