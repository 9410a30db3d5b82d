"""How long things took in earlier runs, for forecasts: the latest run of its kind counts."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engine.planning.forecast import Draws
from engine.runs.digests import Digest, Digests

Timings = dict[tuple[str, str, float | None], float]
Lookings = dict[tuple[str, tuple[str, ...]], float]


@dataclass(frozen=True, slots=True)
class Past:
    """`timings` are seconds a cell by (model, task, limit), `startups` the seconds before a model's first cell without
    `lookings`, the seconds of looking at its neurons on text, by (model, a plan's `looks`).
    """

    timings: Timings
    startups: dict[str, float]
    lookings: Lookings
    draws: Draws = field(default_factory=Draws)

    @classmethod
    def of(cls, database: Path) -> Past:
        """What a database's runs tell; those that are damaged tell nothing."""
        digests = Digests.load(database)
        found = [digest for _, digest in digests.runs() if isinstance(digest, Digest)]
        digests.save()
        return cls(timings(found), startups(found), lookings(found), draws(found))


def timings(oldest_first: Iterable[Digest]) -> Timings:
    return {
        (digest.asked_model, task, digest.limit): seconds
        for digest in oldest_first
        for task, seconds in digest.seconds_per_cell.items()
    }


def startups(oldest_first: Iterable[Digest]) -> dict[str, float]:
    seconds = ((digest.asked_model, digest.startup_seconds) for digest in oldest_first)
    return {model: startup for model, startup in seconds if startup is not None}


def lookings(oldest_first: Iterable[Digest]) -> Lookings:
    seconds = (((digest.asked_model, digest.looks), digest.looking_seconds) for digest in oldest_first)
    return {what: looking for what, looking in seconds if looking is not None}


def draws(oldest_first: Iterable[Digest]) -> Draws:
    here = socket.gethostname()
    ours = [digest for digest in oldest_first if digest.host == here]
    return Draws(
        watts={one.asked_model: one.watts for one in ours if one.watts is not None},
        profiling={
            one.asked_model: one.profiling_seconds / len(one.levels)
            for one in ours
            if one.profiling_seconds is not None and one.levels
        },
    )
