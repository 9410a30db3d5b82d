"""Following a worker by its journal until it ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from engine.runs import launch
from engine.runs.keeping import Process
from warehouse.records.events import Event
from warehouse.records.run_state import RunHistory
from warehouse.store import journal

_POLL_SECONDS = 0.1


class View(Protocol):
    """Shows a run while it works; entered before the first event and left after the last."""

    def shown(self) -> AbstractContextManager[object]: ...

    def event(self, event: Event, history: RunHistory) -> None:
        """One event, after the history has taken it in."""
        ...

    def note(self, text: str) -> None:
        """Something to say that is not in the journal."""
        ...


class Detached(Exception):
    """The user has had enough of watching; the worker was asked to stop and is left to it."""


def follow(worker: Process, path: Path, history: RunHistory, view: View, offset: int) -> int:
    """Show a run until its worker ends, and return the worker's exit code (see `engine.runs.launch`).

    `history` knows the journal at `path` up to byte `offset`. The first Ctrl-C asks the worker to stop, the second
    leaves it.

    Raises:
        Detached: at the second Ctrl-C.
    """
    requests = 0
    with view.shown(), counted_interrupts() as interrupts:
        while True:
            ended = worker.poll() is not None
            if path.exists():
                events, offset = journal.read(path, offset, after=history.seq)
                for event in events:
                    history.take(event)
                    view.event(event, history)
            if ended:
                break
            if len(interrupts) > requests:
                requests = len(interrupts)
                if requests > 1:
                    raise Detached
                worker.send_signal(signal.SIGINT)
                view.note("Stopping after the current batch. Ctrl-C again leaves the worker to it.")
            time.sleep(_POLL_SECONDS)
    # A worker that was interrupted while it was still importing dies of the signal itself.
    assert worker.returncode is not None
    return launch.STOPPED if worker.returncode == launch.INTERRUPTED else worker.returncode


@contextmanager
def counted_interrupts() -> Iterator[list[int]]:
    """Ctrl-C adds to the list instead of breaking into whatever is running."""
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)
