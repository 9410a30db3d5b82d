"""Which of several choices a metric takes for the model's answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from warehouse.stats.metric import LIKELIEST, AnswerRule, Choices
from warehouse.stats.metrics import metrics


def chosen(
    metric: str,
    log_likelihoods: Sequence[float],
    *,
    choices: Sequence[str] | None = None,
    unconditional: Sequence[float] | None = None,
) -> int | None:
    """The index of the choice that lm-eval's multiple-choice `metric` compares with the right one.

    `choices` are the texts without the delimiter before them; both they and `unconditional`, the log-likelihoods
    without the question, are in the order of `log_likelihoods`. A metric that is not known takes the likeliest.

    None where the metric chooses nothing, or what it needs is not known or NaN. Of equals the first is taken.
    """
    rule = _rule(metric)
    inputs = {None: log_likelihoods, "texts": choices, "unconditional": unconditional}
    if rule is None or inputs[rule.needs] is None:
        return None
    scores = rule.scores(Choices(log_likelihoods, choices, unconditional))
    if not scores or any(math.isnan(score) for score in scores):
        return None
    return max(range(len(scores)), key=lambda choice: scores[choice])


def needs(metric: str) -> Literal["texts", "unconditional"] | None:
    """What `metric` needs beside the log-likelihoods of the choices."""
    rule = _rule(metric)
    return None if rule is None else rule.needs


def asked_twice(of_task: Iterable[str]) -> bool:
    """Whether one of a task's metrics has lm-eval ask for all of the choices once more, without their question."""
    return any(needs(metric) == "unconditional" for metric in of_task)


def _rule(metric: str) -> AnswerRule | None:
    definition = metrics().get(metric)
    return LIKELIEST if definition is None else definition.answer
