"""What guessing scores in a task: the level from which a score starts to mean something."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.task import Task

from warehouse.stats.answers import asked_twice
from warehouse.stats.metrics import guessed


def chance_levels(task: Task) -> dict[str, float]:
    """Metric → the score of choosing among each document's choices with equal probability.

    A task that judges answers by code of its own is asked: every choice in turn is taken as the certain answer. Open
    answers, which nothing can be guessed from, have a level of 0. Metrics without such a level, and tasks whose own
    code cannot judge such an answer, are left out.
    """
    documents: dict[int, list[Instance]] = defaultdict(list)
    for instance in task.instances:
        documents[instance.doc_id or 0].append(instance)
    anything: Any = task  # lm-eval annotates what every task overrides as returning None
    metrics = list(anything.aggregation())
    if task.OUTPUT_TYPE in ("generate_until", "loglikelihood"):
        return {name: 0.0 for name in metrics if name in guessed("open")}
    if task.OUTPUT_TYPE != "multiple_choice":
        return {}
    if callable(anything.config.process_results):
        return _judged(task, list(documents.values()))
    counts = [_choices(task, instances) for instances in documents.values()]
    level = sum(1 / count for count in counts) / len(counts)
    return {name: level for name in metrics if name in guessed("choices")}


def _choices(task: Any, instances: Sequence[Instance]) -> int:
    """Requests of a document, but for those that only measure how likely an answer is without its question."""
    unconditional = 2 if asked_twice(task.aggregation()) else 1
    return len(instances) // unconditional


def _judged(task: Any, documents: Sequence[Sequence[Instance]]) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for instances in documents:
        count = len(instances)
        for chosen in range(count):
            certain = [(0.0 if choice == chosen else float("-inf"), choice == chosen) for choice in range(count)]
            try:
                judged = task.process_results(instances[0].doc, certain)
            except Exception:  # other people's code, on answers that no model gives
                return {}
            for name, value in judged.items():
                if name in guessed("choices"):
                    totals[name] += float(value) / count
    return {name: total / len(documents) for name, total in totals.items()}
