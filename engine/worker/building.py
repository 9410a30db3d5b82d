"""Loading a run's tasks and writing their requests, in a thread beside the judging of answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, wait
from threading import Event, Thread
from typing import Any

from lm_eval.api.task import Task

from engine.errors import UserError
from engine.evaluation.encoding import Progress as Encoded
from engine.evaluation.prompts import Prompts
from engine.evaluation.task_failures import left_out
from engine.evaluation.task_groups import parents_of
from engine.evaluation.task_loading import LoadedTasks
from engine.evaluation.tasks import BuiltTask
from engine.planning.plan import RunPlan
from engine.worker.draws import own_draws
from engine.worker.earlier import EarlierPrompts
from engine.worker.records import Records
from engine.worker.stopping import StopFlag
from engine.worker.supply import ClosedError, Supply
from warehouse.records.events import TasksFound
from warehouse.records.facts import FoundTask

_POLL_SECONDS = 0.1
Build = Callable[[Task, str | None, Prompts, Encoded], BuiltTask]


class Building:
    """The tasks of a run in the making, from their names to their requests.

    What tasks draw from `random` and `numpy.random` comes from the plan's seeds, in one thread, in the plan's order:
    whatever else is at work draws for itself. As a block: the thread has ended when the block has.

    Args:
        load: finds the tasks and writes down that they are found; its error is that of `supply`.
        earlier: what the run's earlier attempts asked.
        build: has a task's requests written, by the nearest group that it is part of, with tokens of these prompts.
    """

    def __init__(
        self,
        plan: RunPlan,
        recorder: Records,
        stop: StopFlag,
        load: Callable[[], LoadedTasks],
        earlier: EarlierPrompts,
        build: Build,
    ) -> None:
        self._plan = plan
        self._recorder = recorder
        self._stop = stop
        self._load = load
        self._earlier = earlier
        self._build_one = build
        self._supply: Future[Supply[BuiltTask]] = Future()
        self._prompts: Future[Prompts] = Future()
        self._tasks: list[Task] = []
        self._ended = Event()
        self._thread = Thread(target=self._run, name="tasks")

    def __enter__(self) -> Building:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._prompts.cancel()
        if self._supply.done() and self._supply.exception() is None:
            self._supply.result().close()
        self._thread.join()

    def check(self) -> None:
        """Raises:
        StopRequested, BaseException: as `supply`, if that is known already.
        """
        self._stop.check()
        if self._supply.done():
            self._supply.result()

    def supply(self) -> Supply[BuiltTask]:
        """The tasks once they are found; their requests may be written only later.

        Raises:
            StopRequested: a stop was asked for meanwhile.
            BaseException: what `load` raised.
        """
        while not wait([self._supply], _POLL_SECONDS).done:
            self._stop.check()
        return self._supply.result()

    def tasks(self) -> list[Task]:
        """lm-eval's own of them, once they are found; raises as `supply`."""
        self.supply()
        return self._tasks

    def begin(self, prompts: Prompts) -> None:
        """It is known how the model reads: requests can be written."""
        self._prompts.set_result(prompts)

    def _run(self) -> None:
        with own_draws(*self._plan.seeds[:2]):
            try:
                with self._recorder.stage("load tasks"):
                    found = self._load()
                documents = {name_of(task): _documents(task, self._plan.limit) for task in found.tasks}
                parents = parents_of(found.groups)
                self._recorder.record(
                    TasksFound(
                        tasks=[
                            FoundTask(task=name, part_of=parents.get(name), documents=count)
                            for name, count in documents.items()
                        ]
                    )
                )
                self._tasks = found.tasks
                supply: Supply[BuiltTask] = Supply(list(documents), found.groups, parents, found.broken, self._stop)
            except BaseException as error:  # for whoever asks for the tasks
                self._supply.set_exception(error)
                return
            self._supply.set_result(supply)
            if self._ended.is_set():
                supply.close()
            try:
                self._build(found, supply, parents, documents, self._prompts.result())
            except (CancelledError, ClosedError):
                return
            except BaseException as error:
                supply.fail(error)

    def _build(
        self,
        found: LoadedTasks,
        supply: Supply[BuiltTask],
        parents: Mapping[str, str],
        documents: Mapping[str, int],
        prompts: Prompts,
    ) -> None:
        """Raises:
        UserError: a task cannot be built or asked, unless the plan leaves such tasks out and there are others; or a
            resumed run began with other prompts.
        """
        plan, broken = self._plan, dict[str, str]()
        total, done, any_built = sum(documents.values()), 0, False
        with self._recorder.stage("build requests", total=total, unit="documents") as report:
            for task in found.tasks:
                supply.check()
                share = documents[name_of(task)]

                def progress(requests: int, of: int, before: int = done, share: int = share) -> None:
                    supply.check()
                    report(before + share * requests // max(of, 1), total)

                with left_out(task.task_name, broken, plan):
                    built = self._build_one(task, parents.get(task.task_name), prompts, progress)
                if (why := broken.get(name_of(task))) is not None:
                    supply.leave_out(name_of(task), why)
                else:
                    self._earlier.refuse_changed(built.facts)
                    if built.name not in self._earlier.tasks:
                        self._recorder.record(built.facts)
                    supply.put(built)
                    any_built = True
                done += share
                report(done, total)
        if not any_built and (broken or found.broken):
            raise UserError(f"None of the tasks can be built. {next(iter((found.broken | broken).values()))}")


def name_of(task: Task) -> str:
    """`task_name` would draw from `random` each time, for a name that it does not need."""
    return str(getattr(task.config, "task"))  # noqa: B009


def _documents(task: Task, limit: float | None) -> int:
    """How many a task asks about, without having its own code make them once more."""
    known: Any = getattr(task, "task_docs", None)
    count = len(task.eval_docs if known is None else known)
    if limit is None:
        return count
    return math.ceil(count * limit) if limit < 1 else min(count, int(limit))
