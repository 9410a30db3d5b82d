"""What carries out pieces: places that work on one each, behind one protocol; and the host's own, a worker process a
place.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.runs.keeping import Keeper, Process
from engine.runs.rundir import RunDir
from engine.sweeps.cards import Card


class Worker(Protocol):
    """What was started on a piece."""

    def poll(self) -> int | None:
        """How it ended, in the words of `engine.runs.launch`, or below zero by which signal; None: not yet, or not
        known yet.
        """
        ...

    def ask_to_stop(self) -> None:
        """It does within a batch."""
        ...


class Executor(Protocol):
    """Where pieces are carried out."""

    @property
    def places(self) -> Sequence[str]:
        """Each works on one piece at a time. Some may come late, and go."""
        ...

    def room(self, place: str) -> int | None:
        """Bytes of its device's memory; None: not known."""
        ...

    def has(self, run: RunDir) -> str | None:
        """The place that works on a piece already, or has what it did, for somebody who carried it out before."""
        ...

    def start(self, run: RunDir, place: str) -> Worker:
        """Begin a piece, or go on with it from its journal.

        Raises:
            UserError, OSError: it cannot be begun.
        """
        ...

    def rest(self, place: str) -> None:
        """Nothing waits for a place just now: it gives back what it keeps between pieces."""
        ...

    def close(self) -> None:
        """Give back what was taken for it. Nothing is at work any more."""
        ...


@dataclass(frozen=True, slots=True)
class LocalWorker:
    process: Process

    def poll(self) -> int | None:
        return self.process.poll()

    def ask_to_stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)


class LocalExecutor:
    """One worker process for each card of this host, which sees that card alone."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self._cards = {str(card): card for card in cards}
        self._keepers = {place: Keeper() for place in self._cards}

    @property
    def places(self) -> Sequence[str]:
        return list(self._cards)

    def room(self, place: str) -> int | None:
        return self._cards[place].memory

    def has(self, run: RunDir) -> str | None:
        return None

    def start(self, run: RunDir, place: str) -> LocalWorker:
        return LocalWorker(self._keepers[place].start(run, self._cards[place].environment))

    def rest(self, place: str) -> None:
        self._keepers[place].let_go()

    def close(self) -> None:
        for keeper in self._keepers.values():
            keeper.let_go()
