"""Answers that are right or wrong as a whole: texts that match, instructions followed (IFEval), code that passes."""

from __future__ import annotations

from warehouse.stats.metric import Metric
from warehouse.stats.sums import mean

METRICS = (
    # Whether the right choice is what the model would have written: no choice is compared with another.
    Metric(
        name="exact_match",
        higher_is_better=True,
        chance=frozenset({"open"}),
        answer=None,
        again=mean,
    ),
    Metric(name="em", higher_is_better=True, again=mean),
    Metric(name="pass@1", higher_is_better=True, again=mean),
    Metric(name="prompt_level_strict_acc", higher_is_better=True, again=mean),
    Metric(name="prompt_level_loose_acc", higher_is_better=True, again=mean),
)
