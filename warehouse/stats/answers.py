"""Which of several choices a metric takes for the model's answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

# Whether the right choice is what the model would have written: no choice is compared with another.
_NOTHING_CHOSEN = ("exact_match",)
# Whose rule needs the texts of the choices.
CHOICES_NEEDED = ("acc_norm", "acc_bytes")


def chosen(
    metric: str,
    log_likelihoods: Sequence[float],
    *,
    choices: Sequence[str] | None = None,
    unconditional: Sequence[float] | None = None,
) -> int | None:
    """The index of the choice that lm-eval's multiple-choice `metric` compares with the right one.

    `acc_norm` divides by the characters of the choice, `acc_bytes` by its bytes in UTF-8, `acc_mutual_info` subtracts
    the log-likelihood without the question; everything else takes the likeliest. `choices` are the texts without the
    delimiter before them; both they and `unconditional` are in the order of `log_likelihoods`.

    None where the metric chooses nothing, or what it needs is not known or NaN. Of equals the first is taken.
    """
    scores: Sequence[float] | None
    match metric:
        case "acc_norm":
            scores = _divided(log_likelihoods, None if choices is None else [len(choice) for choice in choices])
        case "acc_bytes":
            lengths = None if choices is None else [len(choice.encode()) for choice in choices]
            scores = _divided(log_likelihoods, lengths)
        case "acc_mutual_info":
            scores = None
            if unconditional is not None:
                scores = [given - alone for given, alone in zip(log_likelihoods, unconditional, strict=True)]
        case _:
            scores = None if metric in _NOTHING_CHOSEN else log_likelihoods
    if not scores or any(math.isnan(score) for score in scores):
        return None
    return max(range(len(scores)), key=lambda choice: scores[choice])


def _divided(log_likelihoods: Sequence[float], lengths: Sequence[int] | None) -> list[float] | None:
    if lengths is None:
        return None
    return [_quotient(value, length) for value, length in zip(log_likelihoods, lengths, strict=True)]


def _quotient(value: float, length: int) -> float:
    """As NumPy divides: a choice without a character has no likelihood for each of them."""
    if length:
        return value / length
    return math.nan if value == 0 or math.isnan(value) else math.copysign(math.inf, value)
