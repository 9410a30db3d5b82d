"""Carrying pieces out on the places of an executor: each piece once, from its journal on where a worker dies.

Each piece is a run, and its journal alone says what is done of it: whoever carries a sweep out may die at any moment,
and the next to do so repeats nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.errors import UserError
from engine.runs import launch
from engine.runs.rundir import RunDir
from engine.sweeps.executor import Executor, Worker
from warehouse.records.events import Event, Finished
from warehouse.records.run_state import RunHistory, RunState
from warehouse.store import journal

MOST_RETRIES = 3  # times that a piece goes on after its worker died
_POLL_SECONDS = 0.1


class Watcher(Protocol):
    """Is told how pieces go."""

    def begins(self, run: RunDir, place: str) -> None: ...

    def cannot_begin(self, run: RunDir, error: UserError) -> None:
        """Its worker was not started, as where another process works on it: the run is left as it is."""
        ...

    def event(self, run: RunDir, event: Event, history: RunHistory) -> None: ...

    def dies(self, run: RunDir, history: RunHistory, code: int, retry: int) -> None:
        """Its worker died, and it goes on elsewhere, for the so many-eth time."""
        ...

    def ends(self, run: RunDir, history: RunHistory, code: int, turns_before: int) -> None:
        """It is settled for now; `code` as `launch` has them, or how its worker died for the last time."""
        ...


@dataclass(slots=True)
class _Piece:
    run: RunDir
    turns_before: int = 0
    retries: int = 0
    died_at: str | None = None


@dataclass(slots=True)
class _AtWork:
    piece: _Piece
    worker: Worker
    history: RunHistory
    offset: int


@dataclass(slots=True)
class Carrying:
    """`wants_to_stop` is asked again and again: once it says so, workers are asked to stop and nothing is begun."""

    runs: Sequence[RunDir]
    executor: Executor
    watcher: Watcher
    wants_to_stop: Callable[[], bool] = lambda: False
    codes: dict[str, int] = field(default_factory=dict[str, int])
    _waiting: list[_Piece] = field(default_factory=list[_Piece])
    _at_work: dict[str, _AtWork] = field(default_factory=dict[str, _AtWork])
    _stopped: bool = False

    def __call__(self) -> list[RunDir]:
        """Carry all out; returns those that were not begun, or not taken up again, because others were stopped.

        Raises:
            JournalError: a journal is damaged before its last line. Workers go on.
        """
        self._waiting = [_Piece(run, run.turns()) for run in self.runs]
        asked = False
        while self._at_work or (self._waiting and not self._stopped):
            if self.wants_to_stop() and not asked:
                asked = self._stopped = True
                for one in self._at_work.values():
                    one.worker.ask_to_stop()
            self._begin()
            for place in list(self._at_work):
                self._look(place)
            if self._at_work:
                time.sleep(_POLL_SECONDS)
        return [piece.run for piece in self._waiting]

    def _begin(self) -> None:
        for place in self.executor.places:
            if self._stopped or place in self._at_work:
                continue
            if (piece := self._next(place)) is not None:
                self._start(piece, place)

    def _next(self, place: str) -> _Piece | None:
        """Not one that died there, unless there is no other place."""
        only = len(self.executor.places) == 1
        piece = next((piece for piece in self._waiting if only or piece.died_at != place), None)
        if piece is not None:
            self._waiting.remove(piece)
        return piece

    def _start(self, piece: _Piece, place: str) -> None:
        history, offset = piece.run.history()
        if history.state == RunState.FINISHED:
            self._settle(piece, history, launch.FINISHED)
            return
        try:
            worker = self.executor.start(piece.run, place)
        except UserError as error:
            self.codes[piece.run.run_id] = launch.REFUSED
            self.watcher.cannot_begin(piece.run, error)
            return
        self.watcher.begins(piece.run, place)
        self._at_work[place] = _AtWork(piece, worker, history, offset)

    def _look(self, place: str) -> None:
        one = self._at_work[place]
        code = one.worker.poll()  # before its journal is read: a worker writes its last event before it ends
        path = one.piece.run.journal_path
        if path.exists():
            events, one.offset = journal.read(path, one.offset, after=one.history.seq)
            for event in events:
                one.history.take(event)
                self.watcher.event(one.piece.run, event, one.history)
        if code is None:
            return
        del self._at_work[place]
        code = launch.STOPPED if code == launch.INTERRUPTED else code
        self._stopped |= code == launch.STOPPED
        piece = one.piece
        if self._died(piece.run, code, one.history) and not self._stopped and piece.retries < MOST_RETRIES:
            piece.retries, piece.died_at = piece.retries + 1, place
            self._waiting.insert(0, piece)
            self.watcher.dies(piece.run, one.history, code, piece.retries)
        else:
            self._settle(piece, one.history, code)

    def _settle(self, piece: _Piece, history: RunHistory, code: int) -> None:
        self.codes[piece.run.run_id] = code if code >= 0 else launch.FAILED
        self.watcher.ends(piece.run, history, code, piece.turns_before)

    @staticmethod
    def _died(run: RunDir, code: int, history: RunHistory) -> bool:
        """Whether a worker ended in a way that another one may not: not by its plan, its cells, or a full disk."""
        if code in (launch.FINISHED, launch.STOPPED, launch.REFUSED) or isinstance(history.end, Finished):
            return False
        return not launch.disk_is_full(run)
