"""The tasks of a run, handed out one by one as soon as their requests are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Condition
from typing import TYPE_CHECKING, Generic, TypeVar

from engine.worker.stopping import StopFlag

if TYPE_CHECKING:
    from lm_eval.api.group import Group

    from engine.evaluation.asking import Asked
    from engine.evaluation.tasks import BuiltTask, TaskSet

T = TypeVar("T", bound="Asked")

_POLL_SECONDS = 0.1


class ClosedError(BaseException):
    """Nobody wants any more tasks; not an `Exception`, so no task's failure."""


class Supply(Generic[T]):
    """One thread puts tasks in, in any order; others take them by name, and wait where they are not there yet.

    Attributes:
        names: of the tasks that may be had, in the order of their evaluation.
        groups: whose aggregates the tasks make up, parts first.
        broken: tasks that cannot be built, and why; they are told of once one could be, since a run without any is
            refused as a whole.
    """

    def __init__(
        self,
        names: Sequence[str],
        groups: Sequence[Group],
        parents: Mapping[str, str],
        broken: Mapping[str, str],
        stop: StopFlag,
    ) -> None:
        self.names = tuple(names)
        self.groups = tuple(groups)
        self.broken = dict(broken)
        self._parents = parents
        self._stop = stop
        self._built: dict[str, T] = {}
        self._failure: BaseException | None = None
        self._closed = False
        self._changed = Condition()

    @classmethod
    def of(cls, tasks: TaskSet, stop: StopFlag) -> Supply[BuiltTask]:
        """Of tasks that are built already."""
        names = [task.name for task in tasks.tasks]
        parents = {group.name: parent for group in tasks.groups if (parent := tasks.parent(group.name)) is not None}
        supply: Supply[BuiltTask] = Supply(names, tasks.groups, parents, tasks.broken, stop)
        for task in tasks.tasks:
            supply.put(task)
        return supply

    def parent(self, name: str) -> str | None:
        """The nearest group above a task or group that has an aggregate of its own."""
        return self._parents.get(name)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is waited for any more."""
        return all(name in self._built or name in self.broken for name in self.names)

    @property
    def is_empty(self) -> bool:
        """Whether no task's requests are there yet."""
        return not self._built

    def put(self, task: T) -> None:
        """Raises:
        ClosedError: it is not wanted any more.
        """
        with self._changed:
            self.check()
            self._built[task.name] = task
            self._changed.notify_all()

    def leave_out(self, name: str, why: str) -> None:
        """It cannot be built, and the others will be evaluated all the same."""
        with self._changed:
            self.broken[name] = why
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """No more tasks will come, and whoever asks for one is told why: also for those that are built."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def close(self) -> None:
        """No more tasks are wanted: who waits for one, and who would put one in, is told so."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def check(self) -> None:
        """For whoever builds.

        Raises:
            ClosedError: no more tasks are wanted.
        """
        if self._closed:
            raise ClosedError

    def get(self, name: str) -> T | None:
        """A task with its requests, waited for; None where it is broken.

        Raises:
            StopRequested: a stop was asked for meanwhile.
            ClosedError: the supply was closed meanwhile.
            BaseException: what ended the building.
        """
        with self._changed:
            while True:
                self.check()
                self._stop.check()
                if self._failure is not None:
                    raise self._failure
                if name in self._built:
                    return self._built[name]
                if name in self.broken and self._built:
                    return None
                self._changed.wait(_POLL_SECONDS)
