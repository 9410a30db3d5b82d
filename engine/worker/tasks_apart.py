"""The process for tasks, as its worker sees it: requests come from it, and answers go to it to be judged."""

from __future__ import annotations

import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from engine.runs.rundir import RunDir
from engine.worker.kept import Kept
from engine.worker.recorder import Recorder
from engine.worker.stopping import StopFlag
from engine.worker.supply import Supply
from engine.worker.task_link import TaskProcess
from engine.worker.wire import (
    Aggregate,
    Begin,
    Documents,
    End,
    Ended,
    Failed,
    Judge,
    Judged,
    KeepCell,
    KeepDocuments,
    Knows,
    LeftOut,
    Loaded,
    Merge,
    Reads,
    Rests,
    Said,
    Supplied,
    TellDocuments,
    Told,
    Written,
)
from warehouse.records.facts import CellFacts

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

    from engine.evaluation.asking import Asked, TaskRequests
    from engine.evaluation.prompts import Prompts

T = TypeVar("T")
_POLL_SECONDS = 0.1
_RESTS_WITHIN = 2.0  # seconds in which a process that is to be kept has come to rest
_MOST_WAITING = 100  # cells whose answers are not judged yet: what a crash would have to ask again


class EndedError(RuntimeError):
    """The process for tasks is gone, though it was still needed."""


class TasksApart:
    """Starts the process at once, which then loads tasks while the worker still imports; or goes on with the one that
    is `kept` from the run before.

    As a block: the process has ended when the block has, or rests, and is kept for another run. What it tells is
    written down as it comes, in a thread.

    Attributes:
        writes: whether some tasks want texts, as soon as there is a `supply`.
    """

    def __init__(self, run: RunDir, recorder: Recorder, stop: StopFlag, kept: Kept | None = None) -> None:
        self._kept = kept or Kept()
        self._rests = False
        self._recorder = recorder
        self._stop = stop
        history = recorder.history
        self.attempt = history.attempt.attempt + 1 if history.attempt else 1
        self.writes = False
        self._begin = Begin(str(run.path.absolute()), self.attempt, history, self._kept.stays)
        self._on_loaded: Future[Callable[[Loaded], None]] = Future()
        self._supply: Future[Supply[TaskRequests]] = Future()
        self._documents: Future[list[tuple[str, str]]] = Future()
        self._handing = threading.Lock()
        self._prompts: Prompts | None = None
        self._early: deque[Written] = deque()  # came before `_prompts`
        self._changed = threading.Condition()
        self._waiting = 0  # cells that are not judged yet
        self._problem: BaseException | None = None
        self._ended: Ended | None = None

    def __enter__(self) -> Self:
        self._process, self._kept.tasks = self._kept.tasks or TaskProcess(), None
        self._thread = threading.Thread(target=self._listen, name="process for tasks")
        self._thread.start()
        self._send(self._begin)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._begin.stays:
            self._thread.join(_RESTS_WITHIN)
        if kind is None and self._rests:
            self._kept.tasks = self._process
            return
        self._process.kill()  # whatever it still builds is not wanted, and what it was to judge has been waited for
        self._on_loaded.cancel()
        self._thread.join()
        self._process.wire.close()

    def model_reads(
        self,
        tokenizer: PreTrainedTokenizerBase,
        config: PretrainedConfig,
        *,
        max_length: int,
        source: str,
        revision: str | None,
        on_loaded: Callable[[Loaded], None],
    ) -> None:
        """The model's tokenizer and context are known.

        Args:
            on_loaded: called in a thread, before anything else is said of the tasks; its error is that of `supply`.
        """
        # One whose code came with the model is loaded again: its module is not to be had by its name.
        of_library = type(tokenizer).__module__.startswith("transformers.")
        self._on_loaded.set_result(on_loaded)
        self._send(
            Reads(max_length, pickle.dumps(tokenizer) if of_library else None, source, revision, config.model_type)
        )

    def model_knows(self, vocab_size: int) -> None:
        """The model is loaded: requests can be written."""
        self._send(Knows(vocab_size))

    def hand_to(self, prompts: Prompts) -> None:
        """Requests can be handed out, with their tokens in `prompts`; those that are there already are at once."""
        with self._handing:
            self._prompts = prompts
            while self._early:
                self._hand_out(self._early.popleft(), prompts)

    def check(self) -> None:
        """Raises:
        StopRequested, BaseException: as `supply`, if that is known already.
        """
        self._stop.check()
        if self._supply.done():
            self._supply.result()

    @property
    def has_some(self) -> bool:
        """Whether a task's requests are there to be asked."""
        return self._supply.done() and self._supply.exception() is None and not self._supply.result().is_empty

    def supply(self) -> Supply[TaskRequests]:
        """The tasks once they are found; their requests may be written only later.

        Raises:
            StopRequested: a stop was asked for meanwhile.
            UserError: tasks cannot be loaded.
            EndedError: the process is gone.
        """
        return self._awaited(self._supply)

    def documents(self) -> list[tuple[str, str]]:
        """The documents of all tasks, each after its task's name; to be asked for before anything is judged.

        Raises:
            BaseException: as `supply`, or what a task's code raised.
        """
        self.supply()
        self._send(TellDocuments())
        return self._awaited(self._documents)

    def _awaited(self, future: Future[T]) -> T:
        while not wait([future], _POLL_SECONDS).done:
            self._stop.check()
        return future.result()

    def judging(self) -> JudgingApart:
        return JudgingApart(self, self._recorder)

    def judge(self, level: str, task: str, answers: Sequence[Any], seconds: float) -> None:
        """Have answers judged and written down; waits while too many are."""
        with self._changed:
            while self._problem is None and self._waiting >= _MOST_WAITING:
                self._changed.wait()
            if self._problem is not None:
                raise self._problem
            self._waiting += 1
        self._send(Judge(level, task, answers, seconds))

    def aggregate(self, level: str) -> None:
        self._send(Aggregate(level))

    def end(self) -> int:
        """Wait until everything is judged; returns the number of cells that failed by it."""
        self._send(End())
        with self._changed:
            while self._problem is None and self._ended is None:
                self._changed.wait()
            if self._ended is None:
                assert self._problem is not None
                raise self._problem
            return self._ended.failed

    def _send(self, message: Any) -> None:
        try:
            self._process.wire.send(message)
        except OSError:  # it is gone; the thread that listens finds out how
            self._thread.join()
            assert self._problem is not None
            raise self._problem from None

    def _listen(self) -> None:
        try:
            while self._ended is None:
                self._take(self._process.wire.receive())
            while self._begin.stays and not self._rests:  # what it still says of this run is not wanted any more
                self._rests = isinstance(self._process.wire.receive(), Rests)
        except (EOFError, ConnectionError):
            if self._ended is not None:
                return
            self._fail(EndedError(f"The process that writes prompts and judges answers ended ({self._how()})."))
        except BaseException as error:  # what it told could not be written down, or be meant
            self._fail(error)

    def _how(self) -> str:
        code = self._process.popen.wait()
        if code == -signal.SIGKILL:
            return "it was killed, by somebody or since memory ran out"
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}; the run's log has more"

    def _take(self, message: Any) -> None:
        match message:
            case Told(data):
                self._recorder.record(data)
            case KeepCell(cell):
                self._recorder.keep_cell(cell)
            case KeepDocuments(kept):
                self._recorder.keep_documents(kept)
            case Said(text, level_name):
                self._recorder.log(text, level_name)
            case Merge():
                self._recorder.merge_soon()
            case Loaded():
                self.writes = message.writes
                self._on_loaded.result()(message)
            case Supplied(names, broken):
                self._supply.set_result(Supply(names, (), {}, broken, self._stop))
            case Written():
                with self._handing:
                    if self._prompts is None:
                        self._early.append(message)
                    else:
                        self._hand_out(message, self._prompts)
            case LeftOut(name, why):
                self._supply.result().leave_out(name, why)
            case Documents(documents):
                self._documents.set_result(documents)
            case Failed("documents", error):
                self._documents.set_exception(pickle.loads(error))
            case Failed("tasks", error):
                self._no_tasks(pickle.loads(error))
            case Failed(_, error):
                self._fail(pickle.loads(error))
            case Judged():
                with self._changed:
                    self._waiting -= 1
                    self._changed.notify_all()
            case Ended():
                with self._changed:
                    self._ended = message
                    self._changed.notify_all()
            case _:
                raise TypeError(f"a message of kind {type(message).__name__} is none for a worker")

    def _hand_out(self, written: Written, prompts: Prompts) -> None:
        from lm_eval.api.instance import Instance

        from engine.evaluation.asking import TaskRequests

        instances = [
            Instance(request_type, {}, arguments, index, about)
            for request_type, arguments, index, about in pickle.loads(written.requests)
        ]
        prompts.take(instances, written.tokens)
        self._supply.result().put(TaskRequests(written.facts, instances))

    def _no_tasks(self, error: BaseException) -> None:
        if not self._supply.done():
            self._supply.set_exception(error)
        elif self._supply.exception() is None:
            self._supply.result().fail(error)

    def _fail(self, error: BaseException) -> None:
        """Whoever waits for anything is told."""
        self._no_tasks(error)
        if not self._documents.done():
            self._documents.set_exception(error)
        with self._changed:
            self._problem = error
            self._changed.notify_all()


class JudgingApart:
    """Has cells judged in the other process, in the order in which they are handed in.

    Leaving the block waits for what is left. What cannot be written ends the work, as an OSError.
    """

    def __init__(self, tasks: TasksApart, recorder: Recorder) -> None:
        self._tasks = tasks
        self._recorder = recorder
        self.failed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.failed += self._tasks.end()
        except Exception as other:
            if error is None:
                raise
            if other is not error:
                error.add_note(f"What had been answered could not be written down: {other}")

    def hand_in(self, level: str, asked: Asked, answers: Sequence[Any], seconds: float) -> None:
        """`seconds` is the time that asking took."""
        self._tasks.judge(level, asked.name, answers, seconds)

    def keep(self, cell: CellFacts) -> None:
        """Write down a cell that needs no judging."""
        self._recorder.keep_cell(cell)
        self._recorder.merge_soon()

    def groups(self, level: str) -> None:
        """Write down the aggregates of groups all of whose tasks are there, once what was handed in is judged."""
        self._tasks.aggregate(level)

    def fail(self, level: str, task: str, error: Exception) -> None:
        """Write down that a cell has no result, and why."""
        self.failed += 1
        self._recorder.failure(level, task, error)
