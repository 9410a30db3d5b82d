"""How long things took in earlier runs, for forecasts: the latest run of its kind counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.runs.digests import Digest, Digests

Timings = dict[tuple[str, str, float | None], float]


@dataclass(frozen=True, slots=True)
class Past:
    """`timings` are seconds a cell by (model, task, limit), `startups` the seconds before a model's first cell."""

    timings: Timings
    startups: dict[str, float]

    @classmethod
    def of(cls, database: Path) -> Past:
        """What a database's runs tell; those that are damaged tell nothing."""
        digests = Digests.load(database)
        found = [digest for _, digest in digests.runs() if isinstance(digest, Digest)]
        digests.save()
        return cls(timings(found), startups(found))


def timings(oldest_first: Iterable[Digest]) -> Timings:
    return {
        (digest.asked_model, task, digest.limit): seconds
        for digest in oldest_first
        for task, seconds in digest.seconds_per_cell.items()
    }


def startups(oldest_first: Iterable[Digest]) -> dict[str, float]:
    seconds = ((digest.asked_model, digest.startup_seconds) for digest in oldest_first)
    return {model: startup for model, startup in seconds if startup is not None}
