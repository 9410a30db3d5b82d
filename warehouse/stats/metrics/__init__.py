"""The metrics that are known, a file for each family with its `METRICS`; of others the shapes of their items tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from warehouse.registry import gathered
from warehouse.stats.metric import CorpusStatistic, Metric


@cache
def metrics() -> Mapping[str, Metric]:
    """Every known metric by its name.

    Raises:
        ValueError: two files have one of the same name.
    """
    by_name: dict[str, Metric] = {}
    for metric in (metric for family in gathered(__name__, "METRICS") for metric in family):
        if metric.name in by_name:
            raise ValueError(f"two files of {__name__} have a metric {metric.name}")
        by_name[metric.name] = metric
    return MappingProxyType(by_name)


def higher_is_better(name: str) -> bool:
    """Of a metric whose task does not say; what is not known is taken for a score."""
    metric = metrics().get(name)
    return metric is None or metric.higher_is_better


def corpus_statistics() -> Iterable[CorpusStatistic]:
    """Every way in which documents make a metric, each once."""
    return dict.fromkeys(statistic for metric in metrics().values() for statistic in metric.corpus)


def guessed(where: str) -> frozenset[str]:
    """Names of the metrics for which guessing has a known score there: "choices", or "open" answers."""
    return frozenset(name for name, metric in metrics().items() if where in metric.chance)
