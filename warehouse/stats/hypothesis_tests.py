"""Whether two values of one number differ by more than noise, by the best test that the data allow."""

from __future__ import annotations

import math
from collections.abc import Sequence


def mcnemar(up: int, down: int) -> float:
    """Two-sided exact p of a split at least this uneven, had each of the documents gone either way alike."""
    n, fewer = up + down, min(up, down)
    if n == 0:
        return 1.0
    largest = math.exp(math.lgamma(n + 1) - math.lgamma(fewer + 1) - math.lgamma(n - fewer + 1) - n * math.log(2))
    total, term = 0.0, 1.0
    for k in range(fewer, -1, -1):
        total += term
        term *= k / (n - k + 1)
        if term < 1e-18 * total:  # what is left changes no digit
            break
    return min(1.0, 2 * largest * total)


def z_test(change: float, standard_error: float) -> float:
    """Two-sided p of a change this large; any change at all is certain where there is no spread."""
    if standard_error == 0:
        return 1.0 if change == 0 else 0.0
    return math.erfc(abs(change) / standard_error / math.sqrt(2))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for having been looked at together."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected = [0.0] * len(p_values)
    worst = 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = worst
    return corrected
