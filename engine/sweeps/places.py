"""What a sweep is spread over: this host's cards, or the places of a cluster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.where import LOCAL, Where
from engine.sweeps import ray_joining
from engine.sweeps.cards import Card, chosen_places
from warehouse.processes import module_command
from warehouse.text import counted

_PATIENCE = 180.0  # seconds for a cluster to answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """`cards` of this host, none for one run after another; or how many places a `cluster` has now."""

    where: Where
    cards: Sequence[Card] = ()
    cluster: int = 0

    @property
    def count(self) -> int:
        return len(self.cards) or self.cluster

    def __str__(self) -> str:
        if not self.where.is_cluster:
            return ", ".join(map(str, self.cards))
        return f"{counted(self.cluster, 'place')} of {self.where.on}"


def places_of(where: Where, plans: Sequence[RunPlan]) -> Places:
    """A cluster is joined.

    Raises:
        UserError: there are no such cards, Ray is not installed, or no cluster answers.
    """
    if where.is_cluster:
        ray_joining.require(where.on)
        ray_joining.join(where.address)
        return Places(where=where, cluster=ray_joining.places_now())
    return Places(where=where, cards=[] if where.gpus is None else chosen_places(where.gpus, plans))


def places_seen_from_afar(where: Where, plans: Sequence[RunPlan]) -> Places:
    """The same by a process of its own that joins a cluster and leaves it again, for one that is not to be part of it.

    Raises:
        UserError: as `places_of`.
    """
    if not where.is_cluster:
        return places_of(where, plans)
    ray_joining.require(where.on)
    try:
        done = subprocess.run(
            module_command("engine.sweeps.places", where.on),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UserError(f"The cluster of {where.on} did not answer within {_PATIENCE:g} seconds.") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UserError(last)
    return Places(where=where, cluster=int(done.stdout.split()[-1]))


if __name__ == "__main__":
    try:
        there = places_of(Where(on=sys.argv[1] if len(sys.argv) > 1 else LOCAL), [])
    except UserError as problem:
        sys.exit(str(problem))
    sys.stdout.write(f"{there.cluster}\n")
