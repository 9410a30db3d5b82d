"""Pieces on the places of a cluster: an attempt at each at a time, followed through lost calls, nodes and drivers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.errors import RunBusyError, UserError
from engine.runs import launch
from engine.runs.rundir import RunDir
from engine.sweeps import carried
from engine.sweeps.carried import Carried
from engine.sweeps.streaming import Copy, StreamError

_GIVES_UP_SALVAGE = 30.0  # seconds for which what an earlier attempt left on a silent node is waited for


class PlaceLostError(Exception):
    """The place is gone, and comes back no more under this name."""


class UnreachableError(Exception):
    """The call may have run or not; it may be made again."""


class Call(Protocol):
    """Something that a place was asked."""

    def ready(self) -> bool: ...

    def result(self) -> Any:
        """Raises:
        PlaceLostError, UnreachableError: there is no answer.
        Exception: what the place raised.
        """
        ...


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """`room` is the bytes of its device's memory, None where that is not known; `in_hand` the attempt at a run that it
    works on, or worked on last; `shares` says that it sees the run folders themselves.
    """

    host: str
    room: int | None
    folder: str
    in_hand: tuple[str, int] | None
    shares: bool


class Cluster(Protocol):
    def places(self) -> Mapping[str, PlaceFacts]:
        """Those that answer, by their names. Some may have come, others gone."""
        ...

    def call(self, place: str, method: str, *arguments: Any) -> Call:
        """Ask a place something, without waiting for the answer."""
        ...

    def close(self) -> None:
        """Give all places back."""
        ...


class RayExecutor:
    """Carries pieces out on a cluster. Runs are held here for as long as they are worked on there, but for those whose
    folders the place shares.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def places(self) -> Sequence[str]:
        return list(self._cluster.places())

    def room(self, place: str) -> int | None:
        found = self._cluster.places().get(place)
        return None if found is None else found.room

    def has(self, run: RunDir) -> str | None:
        latest = carried.read(run)
        for name, facts in self._cluster.places().items():
            if latest is not None and facts.in_hand == (run.run_id, latest.number):
                return name
        return None

    def start(self, run: RunDir, place: str) -> RayWorker:
        facts = self._cluster.places()
        if place not in facts:
            raise UserError(f"{place} is gone.")
        return RayWorker(self._cluster, run, place, facts[place])

    def rest(self, place: str) -> None:
        """A place sees to that itself: whoever asks may be gone."""

    def close(self) -> None:
        self._cluster.close()


@dataclass(slots=True)
class RayWorker:
    """An attempt at a piece, as a place makes it: first what an earlier one left behind is brought home, then this one
    begins, and what it writes comes home until it has ended.

    Raises:
        RunBusyError: another process has the run.
    """

    cluster: Cluster
    run: RunDir
    place: str
    facts: PlaceFacts
    _held: ExitStack = field(default_factory=ExitStack)
    _copy: Copy | None = None
    _call: Call | None = None
    _took: Callable[[Any], None] | None = None
    _then: Callable[[], None] | None = None
    _stop: str = ""
    _code: int | None = None
    _lost: bool = False
    _silent_since: float | None = None
    _number: int = 0

    def __post_init__(self) -> None:
        latest = carried.read(self.run)
        follows = latest is not None and self.facts.in_hand == (self.run.run_id, latest.number)
        if not self.facts.shares:
            self._held.enter_context(self.run.lock(by_file=True))
        elif not follows and (who := self.run.holder()) is not None:
            raise RunBusyError(f"Run {self.run.run_id} is being worked on by {who}: stop that one first, or wait.")
        try:
            if not follows:
                self.run.stop_path.unlink(missing_ok=True)
            if latest is None:
                self._begin_next(0)
            elif follows:
                self._follow(latest)
            elif (where := self._where_it_was(latest)) is not None and not self.facts.shares:
                self._salvage(latest, where)
            else:
                self._begin_next(latest.number)
        except BaseException:
            self._held.close()
            raise

    def ask_to_stop(self) -> None:
        self._stop = self._stop or "ask"

    def poll(self) -> int | None:
        if self._code is not None:
            return self._code
        if self.run.stop_path.exists():
            self._stop = self.run.stop_path.read_text() or "ask"
        if self._lost:
            self._end_lost()
        elif self._call is not None and self._call.ready():
            call, self._call = self._call, None
            try:
                came = call.result()
            except PlaceLostError:
                self._lose()
            except UnreachableError:
                self._silent_since = self._silent_since or time.monotonic()
            except UserError as error:
                self._say(str(error))
                self._end(launch.REFUSED)
            except OSError as error:  # a disk of that node
                self._say(f"{self.place}: {error}")
                self._end(launch.LOST)
            else:
                self._silent_since = None
                assert self._took is not None
                self._took(came)
        if self._call is None and self._code is None and not self._lost:
            assert self._then is not None
            self._then()
        return self._code

    def _say(self, text: str) -> None:
        """As the worker would have, for whoever asks why it ended."""
        with self.run.log_path.open("a", encoding="utf-8") as log:
            log.write(text + "\n")

    def _ask(self, took: Callable[[Any], None], place: str, method: str, *arguments: Any) -> None:
        self._took = took
        self._call = self.cluster.call(place, method, *arguments)

    # What an earlier attempt left.

    def _where_it_was(self, latest: Carried) -> str | None:
        """A place that sees its folder: any on that host."""
        there = (latest.host, latest.folder)
        return next((name for name, one in self.cluster.places().items() if (one.host, one.folder) == there), None)

    def _salvage(self, latest: Carried, where: str) -> None:
        copy = Copy(self.run, latest)
        began = time.monotonic()

        def pull() -> None:
            if time.monotonic() - began > _GIVES_UP_SALVAGE and self._silent_since is not None:
                self._begin_next(latest.number)
                return
            self._ask(took, where, "pull", copy.request() | {"stop": "", "shared": False})

        def took(came: Any) -> None:
            try:
                copy.take(came)
            except StreamError:
                self._begin_next(latest.number)
                return
            if came["drained"]:
                self._begin_next(latest.number)

        def ended(came: Any) -> None:
            self._then = pull

        self._then = lambda: self._ask(ended, where, "end", self.run.run_id, latest.number)

    # This attempt.

    def _begin_next(self, before: int) -> None:
        log = self.run.log_path.stat().st_size if self.run.log_path.exists() else 0
        this = Carried(number=before + 1, host=self.facts.host, folder=self.facts.folder, log=log)
        carried.write(self.run, this)
        copy = Copy(self.run, this) if not self.facts.shares else None
        files = {} if copy is None else copy.sent()
        shared = str(self.run.path.resolve()) if self.facts.shares else None
        self._number, self._copy = this.number, copy
        self._then = lambda: self._ask(
            lambda _: self._following(), self.place, "start", self.run.run_id, this.number, files, shared
        )

    def _follow(self, latest: Carried) -> None:
        """Of a driver that is no more."""
        self._number = latest.number
        self._copy = None if self.facts.shares else Copy(self.run, latest)
        self._following()

    def _following(self) -> None:
        self._then = self._pull

    def _pull(self) -> None:
        asked = {"run": self.run.run_id, "attempt": self._number} if self._copy is None else self._copy.request()
        self._ask(self._take, self.place, "pull", asked | {"stop": self._stop, "shared": self._copy is None})

    def _take(self, came: Any) -> None:
        if self._copy is not None:
            try:
                self._copy.take(came)
            except StreamError as error:
                self._say(f"{self.place}: {error}")
                self.cluster.call(self.place, "end", self.run.run_id, self._number)
                self._lose()
                return
        if came["code"] is not None:
            self._ended(came["code"])
        elif not came["in_hand"] and came["drained"]:
            self._lose()

    def _ended(self, code: int) -> None:
        self.cluster.call(self.place, "forget", self.run.run_id, self._number)
        self._end(launch.STOPPED if self._stop and code < 0 else code)  # killed because it was asked

    def _lose(self) -> None:
        """The place, or what it had in hand, is gone. Where the folder is shared its worker may go on for a while."""
        if self._number == 0:  # an earlier attempt's place; this one's may be there
            latest = carried.read(self.run)
            self._begin_next(0 if latest is None else latest.number)
            return
        self._lost = True
        self._end_lost()

    def _end_lost(self) -> None:
        if not self.facts.shares or self.run.holder() is None:
            self._end(launch.LOST)

    def _end(self, code: int) -> None:
        self._code = code
        self.run.stop_path.unlink(missing_ok=True)
        self._held.close()
