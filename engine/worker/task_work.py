"""What the process for tasks does, from the names of tasks to judged answers."""

from __future__ import annotations

import gc
import pickle
import random
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from types import SimpleNamespace
from typing import Any

import numpy as np
from lm_eval.api.task import Task
from lm_eval.models.utils import configure_pad_token

from engine.errors import UserError
from engine.evaluation.encoding import Progress as Encoded
from engine.evaluation.prompts import Prompts
from engine.evaluation.task_loading import LoadedTasks, load_tasks, refuse_long_answers
from engine.evaluation.tasks import BuiltTask, build_task
from engine.evaluation.whole_documents import whole_documents
from engine.planning.plan import RunPlan
from engine.runs.rundir import RunDir
from engine.worker.building import Building, name_of
from engine.worker.earlier import EarlierPrompts
from engine.worker.judging import Judging
from engine.worker.made import Made
from engine.worker.records import Records
from engine.worker.stopping import StopFlag
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
    Said,
    Supplied,
    TellDocuments,
    Told,
    Wire,
    Written,
    packed_error,
)
from warehouse.records.events import Data
from warehouse.records.facts import CellFacts, DocumentsFacts
from warehouse.records.run_state import RunHistory

_ENDS_WITHIN = 5.0  # seconds that a thread takes to notice that no more is wanted
_CHANGED = "The model has changed since the run before this one: start it again."


def serve(run: RunDir, begin: Begin, wire: Wire, inbox: SimpleQueue[Any], before: Made | None) -> Made | None:
    """Work for a worker until it wants nothing more of a run.

    Returns what another run may use, with nothing of this one at work any more; None where there will be none, or
    something still is.
    """
    plan, recorder, made = run.plan, _ToWorker(wire, begin.history), Made(run.plan)
    random.seed(plan.seeds[0])
    np.random.seed(plan.seeds[1])
    reads: Future[Reads] = Future()

    def load() -> LoadedTasks:
        if before is not None:
            reads.result()  # by which it is known whether what was made before will do
        tasks = made.found = made.found or load_tasks(plan)
        refuse_long_answers(tasks, reads.result().max_length, plan)
        writes = any(task.OUTPUT_TYPE == "generate_until" for task in tasks.tasks)
        wire.send(Loaded(tasks.code, tasks.covered_by(plan.limit), writes))
        return tasks

    def build(task: Task, part_of: str | None, prompts: Prompts, progress: Encoded) -> BuiltTask:
        built = made.built.get(name_of(task)) or build_task(task, part_of, plan, prompts, progress)
        if begin.stays:
            made.built[built.name] = built
        return built

    with Building(plan, recorder, StopFlag(), load, EarlierPrompts.of(begin.history), build) as building:
        prompts: Future[Prompts] = Future()

        def hand_over() -> None:
            _hand_over(building, prompts, wire, lambda: made.written, keeps=begin.stays)

        handing = Thread(target=hand_over, name="handing over", daemon=True)
        handing.start()
        while True:
            match message := inbox.get():
                case Reads():
                    if before is not None and before.serves(plan, message):
                        made = before
                    made.reads = message
                    reads.set_result(message)
                case Knows():
                    if made.knows not in (None, message):
                        wire.send(Failed("tasks", packed_error(UserError(_CHANGED))))
                        continue
                    made.knows = message
                    prompts.set_result(_prompts(reads.result(), message, plan))
                    building.begin(prompts.result())
                case TellDocuments():
                    try:
                        wire.send(Documents(list(whole_documents(building.tasks()))))
                    except Exception as error:
                        wire.send(Failed("documents", packed_error(error)))
                case _:
                    break
        try:
            wire.send(Ended(_judge(run, recorder, building, begin.attempt, message, inbox, wire)))
        except Exception as error:
            wire.send(Failed("judging", packed_error(error)))
    if not begin.stays:
        return None
    handing.join(_ENDS_WITHIN)
    return None if handing.is_alive() else made


def _judge(
    run: RunDir,
    recorder: Records,
    building: Building,
    attempt: int,
    message: Any,
    inbox: SimpleQueue[Any],
    wire: Wire,
) -> int:
    """Judge what comes, first this message, until nothing more will; returns the number of cells that failed."""
    if isinstance(message, End):
        return 0  # tasks may not even be found
    supply = building.supply()
    judging = Judging(run, recorder, supply, attempt)
    while True:
        match message:
            case Judge(level, task, answers, seconds):
                built = supply.get(task)
                assert built is not None
                judging.hand_in(level, built, answers, seconds)
                wire.send(Judged())
            case Aggregate(level):
                judging.groups(level)
            case _:
                return judging.failed
        message = inbox.get()


def _prompts(reads: Reads, knows: Knows, plan: RunPlan) -> Prompts:
    if reads.tokenizer is not None:
        tokenizer = pickle.loads(reads.tokenizer)
    else:
        from engine.pruning.loading import load_tokenizer  # with torch: the tokenizer's own code may want it as well

        tokenizer = load_tokenizer(reads.source, revision=reads.revision, trust_remote_code=plan.trust_remote_code)
    of: Any = SimpleNamespace(model_type=reads.model_type)  # all that it looks at
    return Prompts(configure_pad_token(tokenizer, of), max_length=reads.max_length, vocab_size=knows.vocab_size)


def _hand_over(
    building: Building, prompts: Future[Prompts], wire: Wire, before: Callable[[], dict[str, Written]], *, keeps: bool
) -> None:
    """Send each task's requests as soon as they are written, or those that were written `before`, which is known
    once the tasks are found.
    """
    try:
        supply = building.supply()
        written = before()
        wire.send(Supplied(supply.names, dict(supply.broken)))
        for name in supply.names:
            built = supply.get(name)
            if built is None:
                wire.send(LeftOut(name, supply.broken[name]))
                continue
            message = written.get(name) or _written(built, prompts.result())
            if keeps:
                written[name] = message
            wire.send(message)
    except BaseException as error:  # whatever it is, the worker has to hear of it
        wire.send(Failed("tasks", packed_error(error)))
        return
    gc.collect()
    gc.freeze()  # requests stay to the end, and no collection has to look at them


def _written(built: BuiltTask, prompts: Prompts) -> Written:
    """Of a log-likelihood's texts nothing is needed but their tokens; how a text is written is said by arguments."""
    requests = [
        (
            instance.request_type,
            ("", *instance.args[1:]) if instance.request_type == "generate_until" else (),
            instance.idx,
            (instance.task_name, instance.doc_id, instance.repeats),
        )
        for instance in built.instances
    ]
    return Written(built.facts, pickle.dumps(requests), prompts.packed(built.instances))


class _ToWorker(Records):
    """Has the worker write down what happens here."""

    def __init__(self, wire: Wire, history: RunHistory) -> None:
        super().__init__(history)
        self._wire = wire

    def record(self, data: Data) -> None:
        self._wire.send(Told(data))

    def keep_cell(self, cell: CellFacts) -> None:
        self._wire.send(KeepCell(cell))
        self.history.cells[cell.level, cell.task] = cell

    def keep_documents(self, documents: DocumentsFacts) -> None:
        self._wire.send(KeepDocuments(documents))
        self.history.documents[documents.task] = documents

    def log(self, message: str, level_name: str = "info") -> None:
        self._wire.send(Said(message, level_name))

    def merge_soon(self) -> None:
        self._wire.send(Merge())
