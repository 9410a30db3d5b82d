"""A cluster without Ray: places in this process, workers that write a cell a turn, and all that can go wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.runs import launch
from engine.runs.rundir import RunDir
from engine.sweeps.ray_executor import PlaceFacts, PlaceLostError, UnreachableError
from engine.sweeps.ray_place import Place
from warehouse.records.events import Attempt, Finished, Stopped, of_kind
from warehouse.records.facts import CellFacts
from warehouse.store.journal import Journal


@dataclass(eq=False)
class SimulatedWorker:
    """As a process: writes a cell each time that it is given a turn."""

    run: RunDir
    pid: int = 2**31 - 2
    code: int | None = None
    turns: int = 0

    def poll(self) -> int | None:
        return self.code

    def wait(self) -> None: ...

    def turn(self) -> None:
        if self.code is None:
            journal = Journal(self.run.journal_path)
            try:
                self.code = self._step(journal)
            finally:
                journal.close()

    def _step(self, journal: Journal) -> int | None:
        events = self.run.events()
        done = {cell.level for cell in of_kind(events, CellFacts)}
        attempt = len(of_kind(events, Attempt)) + (self.turns == 0)
        self.turns += 1
        if self.turns == 1:
            journal.append(Attempt(attempt=attempt, pid=1, host="node", provenance={}))
            return None
        if self.run.stop_path.exists():
            journal.append(Stopped(reason="SIGINT"))
            return launch.STOPPED
        level = next((str(level) for level in self.run.plan.levels if str(level) not in done), None)
        if level is None:
            journal.append(Finished(failed=0))
            return launch.FINISHED
        self.run.samples_dir.mkdir(exist_ok=True)
        (self.run.samples_dir / f"{level}-{attempt}.parquet").write_bytes(b"%d " % attempt * 10)
        journal.append(
            CellFacts(
                level=level, task="piqa", part_of=None, is_group=False, version="1", num_fewshot=0, seconds=1.0,
                metrics=[], samples=f"samples/{level}-{attempt}.parquet",
            )
        )  # fmt: skip
        return None


class SimulatedPlace(Place):
    """Waits for no news, and starts no process."""

    workers: list[SimulatedWorker]

    def _begin(self, run: RunDir) -> Any:
        self.workers = [*getattr(self, "workers", []), SimulatedWorker(run)]
        return self.workers[-1]

    def step(self) -> None:
        for worker in getattr(self, "workers", []):
            worker.turn()


@dataclass
class SimulatedCall:
    cluster: SimulatedCluster
    came: Any

    def ready(self) -> bool:
        return self.cluster.draw.random() < self.cluster.prompt

    def result(self) -> Any:
        if isinstance(self.came, Exception):
            raise self.came
        return self.came


@dataclass
class SimulatedCluster:
    """`lost` is how often a call fails, before or after it was made; `prompt` how often an answer is there.

    Workers have a turn at every `pace`-th step.
    """

    folder: Path
    draw: random.Random
    lost: float = 0.0
    prompt: float = 1.0
    pace: int = 10
    steps: int = 0
    nodes: dict[str, SimulatedPlace] = field(default_factory=dict)
    cut_off: list[SimulatedPlace] = field(default_factory=list)
    closed: bool = False

    def join(self, name: str) -> None:
        self.nodes[name] = SimulatedPlace("finish", self.folder / name)
        (self.folder / name).mkdir(parents=True, exist_ok=True)

    def leave(self, name: str, *, cut_off: bool) -> None:
        """Its worker dies with it, or goes on where nobody hears of it."""
        place = self.nodes.pop(name)
        if cut_off:
            self.cut_off.append(place)

    def places(self) -> Mapping[str, PlaceFacts]:
        found: dict[str, PlaceFacts] = {}
        for name, place in self.nodes.items():
            facts = place.facts()
            found[name] = PlaceFacts(
                host=name, room=None, folder=facts["folder"], in_hand=facts["in_hand"], shares=False
            )
        return found

    def call(self, place: str, method: str, *arguments: Any) -> SimulatedCall:
        if self.draw.random() < self.lost:
            return SimulatedCall(self, UnreachableError())
        if place not in self.nodes:
            return SimulatedCall(self, PlaceLostError())
        came = getattr(self.nodes[place], method)(*arguments)
        lost = self.draw.random() < self.lost  # it ran, and the answer is lost
        return SimulatedCall(self, UnreachableError() if lost else came)

    def close(self) -> None:
        self.closed = True

    def step(self) -> None:
        self.steps += 1
        if self.steps % self.pace:
            return
        for place in [*self.nodes.values(), *self.cut_off]:
            place.step()
