"""How far a pruned model is from the unpruned one, on text that neither is asked anything about."""

from __future__ import annotations

from warehouse.stats.metric import Metric

TASK = "damage"
"""What stands for a task in tables: it is nobody's benchmark, and no mean over benchmarks counts it."""

METRICS = (
    # Of the next token's distribution, in nats a token: 0 where nothing has changed.
    Metric(name="kl_divergence", higher_is_better=False, answer=None),
    Metric(name="top1_agreement", higher_is_better=True, answer=None),
)
