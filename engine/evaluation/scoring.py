"""What a model answered to a task at one level, judged by lm-eval's filters and metrics."""

from __future__ import annotations

import json
import math
import random
import sys
import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from lm_eval.api.group import Group
from lm_eval.api.instance import Instance
from lm_eval.api.metrics import mean, perplexity, stderr_for_metric
from lm_eval.api.task import Task

from engine.evaluation.asking import ask, by_type
from engine.evaluation.samples import Sample
from engine.evaluation.tasks import BuiltTask
from warehouse.records.facts import CellFacts, MetricFacts
from warehouse.stats.answers import asked_twice, chosen, needs
from warehouse.stats.per_document import per_document

if TYPE_CHECKING:
    from engine.evaluation.lm import PrunedLM

_BOOTSTRAP_DRAWS = 1000
_LANGUAGE_SEED = 0


def score(built: BuiltTask, lm: PrunedLM) -> tuple[list[MetricFacts], list[Sample]]:
    """Run all requests of a task and compute every metric it defines, as lm-eval's `evaluate` does."""
    return judge(built, ask(built, lm))


def judge(built: BuiltTask, answers: Sequence[Any]) -> tuple[list[MetricFacts], list[Sample]]:
    """Every metric that a task defines, from what `ask` gave; its instances hold the answers afterwards."""
    task: Any = built.task  # lm-eval annotates what every task overrides as returning None
    _take_in(task, answers)
    task_name = task.task_name  # lm-eval makes a random one first, each time that it is asked
    _seed(task_name)
    task.apply_filters()
    by_doc: dict[int, list[Instance]] = defaultdict(list)
    for instance in task.instances:
        by_doc[instance.doc_id or 0].append(instance)
    for instances in by_doc.values():
        instances.sort(key=lambda instance: instance.idx)
    values: dict[tuple[str, str], list[Any]] = defaultdict(list)
    samples: list[Sample] = []
    for name in task.instances[0].filtered_resps:
        for doc_id, instances in by_doc.items():
            doc = instances[0].doc
            responses = [instance.filtered_resps[name] for instance in instances]
            _seed(task_name, doc_id)
            for metric, value in task.process_results(doc, responses).items():
                values[metric, name].append(value)
                adds = per_document(metric, value)
                response = _response(task, doc, metric, responses)
                samples.append(Sample(doc_id, name, metric, adds.value, adds.weight, response, adds.terms))
    chances = built.chances
    metrics = [_aggregate(task, metric, name, items, chances.get(metric)) for (metric, name), items in values.items()]
    return metrics, samples


def aggregate(group: Group, cells: dict[str, CellFacts]) -> list[MetricFacts] | None:
    """A group's own metrics from those of its tasks, or None while one of them is missing."""
    parts = [task.task_name for task in group.get_all_tasks()]
    if any(name not in cells for name in parts):
        return None
    scores: dict[str, Any] = {}
    chances: dict[str, Any] = {}  # the same with guessing in place of the model, NaN where that has no score
    directions: dict[str, bool | None] = {}
    for name in parts:
        scores[name] = {"sample_len": max((metric.n or 0 for metric in cells[name].metrics), default=0)}
        chances[name] = dict(scores[name])
        for metric in cells[name].metrics:
            scores[name][f"{metric.metric},{metric.filter}"] = metric.value
            chances[name][f"{metric.metric},{metric.filter}"] = float("nan") if metric.chance is None else metric.chance
            chances[name][f"{metric.metric}_stderr,{metric.filter}"] = "N/A"
            scores[name][f"{metric.metric}_stderr,{metric.filter}"] = "N/A" if metric.stderr is None else metric.stderr
            agreed = directions.setdefault(metric.metric, metric.higher_is_better)
            directions[metric.metric] = agreed if agreed == metric.higher_is_better else None
    result: Any = group.aggregate(scores)
    guessed: Any = group.aggregate(chances)
    found = []
    for key, value in result.items():
        metric, comma, name = key.partition(",")
        if comma and not metric.endswith("_stderr"):
            stderr = _stderr(result.get(f"{metric}_stderr,{name}"))
            n = result["sample_count"][key]
            found.append(
                MetricFacts(
                    metric=metric,
                    filter=name,
                    value=float(value),
                    stderr=stderr,
                    n=n,
                    higher_is_better=directions.get(metric),
                    chance=None if math.isnan(guessed[key]) else float(guessed[key]),
                )
            )
    return found


def _take_in(task: Task, answers: Sequence[Any]) -> None:
    for instance in task.instances:
        instance.resps = []
        instance.filtered_resps = {}
    asked = [instance for instances in by_type(task.instances).values() for instance in instances]
    for instance, answer in zip(asked, answers, strict=True):
        instance.resps.append(answer)


def _aggregate(task: Any, metric: str, name: str, items: Sequence[Any], chance: float | None) -> MetricFacts:
    function = task.aggregation().get(metric, mean)
    _seed(task.task_name, metric)
    return MetricFacts(
        metric=metric,
        filter=name,
        value=float(function(items)),
        stderr=_standard_error(function, items),
        n=len(items),
        higher_is_better=task.higher_is_better().get(metric),
        chance=chance,
    )


def _standard_error(function: Any, items: Sequence[Any]) -> float | None:
    """lm-eval's standard error of an aggregate, or None where it has none."""
    if len(items) < 2:
        return None
    estimate = stderr_for_metric(function, bootstrap_iters=_BOOTSTRAP_DRAWS)
    if estimate is None:
        return None
    # lm-eval hands out a closure where it would resample, and a closed formula otherwise.
    return _bootstrap(function, items) if estimate.__name__ == "<lambda>" else _stderr(estimate(items))


def _bootstrap(function: Any, items: Sequence[Any]) -> float:
    """The standard error that lm-eval's bootstrap gives at `bootstrap_iters=1000`, from the very same draws.

    Its own loop is avoided because it forks, which a process that holds a CUDA context must not, and because it
    takes seconds a level on LAMBADA.
    """
    count = len(items)
    # Seeded by an array, NumPy's Mersenne Twister yields what random.Random(0), lm-eval's choice, yields.
    uniform = np.random.RandomState([0]).random_sample((_BOOTSTRAP_DRAWS, count))
    draws = (uniform * count).astype(np.int64)
    if function is perplexity:
        estimates = np.exp(-np.asarray(items, dtype=np.float64)[draws].mean(axis=1))
    else:
        estimates = np.array([function([items[index] for index in draw]) for draw in draws])
    return float(np.std(estimates, ddof=1))


def _stderr(value: Any) -> float | None:
    return None if value is None or value == "N/A" else float(value)


def _response(task: Any, doc: Any, metric: str, responses: Sequence[Any]) -> str | None:
    if task.OUTPUT_TYPE == "multiple_choice":
        return _chosen(task, doc, metric, [log_likelihood for log_likelihood, _ in responses])
    if task.OUTPUT_TYPE == "generate_until":
        return json.dumps(responses[0], ensure_ascii=False, default=str)
    return None


def _chosen(task: Any, doc: Any, metric: str, log_likelihoods: Sequence[float]) -> str | None:
    """The index of the answer that this metric takes for the model's, from what `process_results` is given."""
    conditional, unconditional = log_likelihoods, None
    if asked_twice(getattr(task, "_metric_fn_list", {})):
        count = len(task.doc_to_choice(doc))
        if 2 * count == len(log_likelihoods):  # the choices once more, without their context
            conditional, unconditional = log_likelihoods[:count], log_likelihoods[count:]
    choices = task.doc_to_choice(doc) if needs(metric) == "texts" else None
    index = chosen(metric, conditional, choices=choices, unconditional=unconditional)
    return None if index is None else str(index)


def _seed(*of: Any) -> None:
    """Make what a task draws while it judges depend on what is judged only: IFEval's instructions, detected languages.

    The same at every level, and whatever else is scored before.
    """
    seed = zlib.crc32(repr(of).encode())
    random.seed(seed)
    np.random.seed(seed)
    if (langdetect := sys.modules.get("langdetect")) is not None:
        langdetect.DetectorFactory.seed = _LANGUAGE_SEED  # its detectors draw from the system's entropy otherwise
