"""Carrying pieces out on the places of an executor: each piece once, from its journal on where a worker dies.

Each piece is a run, and its journal alone says what is done of it: whoever carries a sweep out may die at any moment,
and the next to do so repeats nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from engine.errors import UserError
from engine.runs import launch
from engine.runs.rundir import RunDir
from engine.sweeps.executor import Executor, Worker
from warehouse.records.events import Event, Finished, Refused
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

    def moves(self, run: RunDir, place: str) -> None:
        """Memory ran out at a place, and it goes on where there is more."""
        ...

    def ends(self, run: RunDir, history: RunHistory, code: int, turns_before: int) -> None:
        """It is settled for now; `code` as `launch` has them, or how its worker died for the last time."""
        ...


def memory_ran_out(error: str) -> bool:
    """Whether it was that, by what was recorded of a cell or of a model that could not be loaded."""
    return any(words in error for words in ("OutOfMemoryError", "out of memory", "does not fit in the GPU's memory"))


@dataclass(slots=True)
class _Piece:
    run: RunDir
    turns_before: int = 0
    retries: int = 0
    died_at: str | None = None
    needs: int | None = None  # None: not looked up yet
    model: tuple[str, str | None] | None = None
    passed_over: int = 0

    @classmethod
    def of(cls, run: RunDir) -> _Piece:
        piece = cls(run, run.turns())
        with suppress(UserError):  # a damaged plan, which its worker tells of
            piece.model = (run.plan.model, run.plan.revision)
        return piece


@dataclass(slots=True)
class _AtWork:
    piece: _Piece
    worker: Worker
    history: RunHistory
    offset: int


@dataclass(slots=True)
class Carrying:
    """`wants_to_stop` is asked again and again: once it says so, workers are asked to stop and nothing is begun.

    `needs` is how many bytes of a device's memory a piece takes at least, 0 where that is not known: looked up where
    devices differ.
    """

    runs: Sequence[RunDir]
    executor: Executor
    watcher: Watcher
    wants_to_stop: Callable[[], bool] = lambda: False
    needs: Callable[[RunDir], int] = lambda run: 0
    codes: dict[str, int] = field(default_factory=dict[str, int])
    _waiting: list[_Piece] = field(default_factory=list[_Piece])
    _at_work: dict[str, _AtWork] = field(default_factory=dict[str, _AtWork])
    _before: dict[str, tuple[str, str | None] | None] = field(default_factory=dict[str, tuple[str, str | None] | None])
    _stopped: bool = False

    def __call__(self) -> list[RunDir]:
        """Carry all out; returns those that were not begun, or not taken up again, because others were stopped.

        Raises:
            JournalError: a journal is damaged before its last line. Workers go on.
        """
        self._waiting = [_Piece.of(run) for run in self.runs]
        asked = False
        while self._at_work or (self._waiting and not self._stopped):
            if self.wants_to_stop() and not asked:
                asked = self._stopped = True
                for one in self._at_work.values():
                    one.worker.ask_to_stop()
            begun = self._begin()
            for place in self.executor.places:
                if place not in self._at_work:
                    self.executor.rest(place)
            for place in list(self._at_work):
                self._look(place)
            if self._at_work or not begun:
                time.sleep(_POLL_SECONDS)
        return [piece.run for piece in self._waiting]

    def _begin(self) -> bool:
        """Whether a piece was taken up."""
        places, begun = self.executor.places, False
        for place in places:
            if self._stopped or place in self._at_work:
                continue
            if (piece := self._next(place, places)) is not None:
                self._waiting.remove(piece)
                self._start(piece, place)
                begun = True
        return begun

    def _next(self, place: str, places: Sequence[str]) -> _Piece | None:
        """The first, or of as many as there are places one of the model that this one has just worked on, whose worker
        is kept for that. No piece is passed over more often than there are places.
        """
        able = list(islice((piece for piece in self._waiting if self._may(piece, place, places)), len(places)))
        if not able:
            return None
        first, model = able[0], self._before.get(place)
        ours = next((piece for piece in able if model is not None and piece.model == model), first)
        if ours is first or first.passed_over >= len(places):
            return first
        first.passed_over += 1
        return ours

    def _may(self, piece: _Piece, place: str, places: Sequence[str]) -> bool:
        """Where it is already. Else where it fits, or where there is most room; not where it died, unless there is no
        other such place.
        """
        if (has := self.executor.has(piece.run)) in places:
            return has == place
        fitting = self._fitting(piece, places)
        return place in ([one for one in fitting if one != piece.died_at] or fitting)

    def _fitting(self, piece: _Piece, places: Sequence[str]) -> Sequence[str]:
        rooms = {one: self.executor.room(one) for one in places}
        if len(set(rooms.values())) == 1:
            return places
        if piece.needs is None:
            piece.needs = self.needs(piece.run)
        most = max(room for room in rooms.values() if room is not None)
        least = min(piece.needs, most)
        return [one for one, room in rooms.items() if room is None or room >= least]

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
        self._before[place] = piece.model
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
        if code == launch.LOST and isinstance(one.history.end, Finished):  # it had come to its end before that
            code = launch.FAILED if one.history.end.failed else launch.FINISHED
        self._stopped |= code == launch.STOPPED
        piece = one.piece
        if not self._stopped and (more := self._more_room(place, one.history)) is not None:
            piece.needs = more
            self._waiting.insert(0, piece)
            self.watcher.moves(piece.run, place)
        elif self._died(piece.run, code, one.history) and not self._stopped and piece.retries < MOST_RETRIES:
            piece.retries, piece.died_at = piece.retries + 1, place
            self._waiting.insert(0, piece)
            self.watcher.dies(piece.run, one.history, code, piece.retries)
        else:
            self._settle(piece, one.history, code)

    def _more_room(self, place: str, history: RunHistory) -> int | None:
        """The bytes of a larger place's memory, where a task failed, or the model was refused, because this one's ran
        out.
        """
        errors = [failure.error for failure in history.failures.values()]
        errors += [history.end.error] if isinstance(history.end, Refused) else []
        if not any(map(memory_ran_out, errors)):
            return None
        here = self.executor.room(place)
        rooms = (self.executor.room(other) for other in self.executor.places)
        return min((room for room in rooms if here is not None and room is not None and room > here), default=None)

    def _settle(self, piece: _Piece, history: RunHistory, code: int) -> None:
        self.codes[piece.run.run_id] = launch.FAILED if code < 0 or code == launch.LOST else code
        self.watcher.ends(piece.run, history, code, piece.turns_before)

    @staticmethod
    def _died(run: RunDir, code: int, history: RunHistory) -> bool:
        """Whether a worker ended in a way that another one may not: not by its plan, its cells, or a full disk."""
        if code in (launch.FINISHED, launch.STOPPED, launch.REFUSED) or isinstance(history.end, Finished):
            return False
        return not launch.disk_is_full(run)
