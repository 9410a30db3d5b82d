"""How long a piece takes, as earlier runs tell it, without reading lm-eval's tasks."""

from __future__ import annotations

from engine.planning.forecast import forecast
from engine.planning.plan import RunPlan
from engine.runs.past import Past


def expected_seconds(plan: RunPlan, past: Past) -> float | None:
    """None where no earlier run tells. Of groups nothing is known here: others stand for them."""
    return forecast(plan, None, {}, past.timings, past.startups, past.lookings).seconds
