"""Runs: planned, started, waited for. A run belongs to a folder beside its database, not to the process it began in."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypedDict, Unpack

from engine.planning import plan_check
from engine.planning.choices import (
    Names,
    chosen_calibration,
    chosen_levels,
    chosen_methods,
    chosen_repairs,
    chosen_tasks,
    run_name,
    task_folders,
)
from engine.planning.draft import DEFAULT_LEVELS
from engine.planning.plan import RunPlan
from engine.planning.profiling import ProfilePlan
from engine.planning.suites import TaskSpec
from engine.planning.sweep import spread
from engine.planning.task_index import UnlistedError
from engine.runs import launch, rundir, stopping
from engine.runs.create import check_database, create
from engine.runs.progress import Progress, progress
from engine.runs.rundir import RunDir
from warehouse.errors import UserError
from warehouse.merging.merge import merge_run
from warehouse.records.conditions import Seeds
from warehouse.records.facts import FailureFacts
from warehouse.records.level import Level
from warehouse.records.run_state import RunState

_NAMES = Names(
    levels="levels", suite="suite", tasks="tasks", folders="include_paths", methods="methods", repairs="repairs"
)
_POLL_SECONDS = 0.1
# As in a worker: lm-eval draws progress bars, and would fork a process that may hold a CUDA context.
_ENVIRONMENT = {"TQDM_DISABLE": "1", "DISABLE_MULTIPROC": "1"}


class Settings(TypedDict, total=False):
    """What else a plan may say; `RunPlan` has their meanings and what they are where they are left out."""

    method: str
    revision: str | None
    divisor: int | None
    limit: float | None
    dtype: str
    device: str
    cards: int
    batch_tokens: int | None
    compile_layers: bool
    seeds: Seeds
    trust_remote_code: bool
    trust_task_code: bool
    skip_broken_tasks: bool
    apply_chat_template: bool
    system_instruction: str | None
    fewshot_as_multiturn: bool
    repair: str
    calibration: str | None
    calibration_tokens: int | None
    calibration_length: int | None
    damage: bool
    profile: ProfilePlan | None
    use_cache: bool
    engine: str


def plan_run(
    model: str | Path,
    *,
    levels: str | Iterable[Level | str | float] = DEFAULT_LEVELS,
    tasks: str | Iterable[TaskSpec | str] | None = None,
    suite: str | None = None,
    name: str | None = None,
    include_paths: Iterable[str | Path] = (),
    **settings: Unpack[Settings],
) -> RunPlan:
    """One model, swept over levels and tasks. Nothing is read or loaded yet.

    Args:
        model: a name on the hub, a folder, or "demo", the model that ships with the program.
        levels: "0,20,40" or [0, 20, 40]: percent of neurons to remove, expansion ratios ("2.4x"), widths ("w4096").
            Without 0, changes can only be told from what the database has of the unpruned model.
        tasks: lm-eval's tasks or groups, "piqa,gsm8k@5" or ["piqa", "gsm8k@5"]; `@5` is five shots.
        suite: one of `SUITES`, in place of tasks.
        name: to find the run by; the model's unless given.
        include_paths: folders with your own lm-eval task files.
        settings: method, limit, dtype, device, seeds and whatever else `Settings` lists.

    Raises:
        UserError: a level, task, suite, folder or setting that is none.
    """
    chosen_calibration(settings.get("calibration"))
    return RunPlan(
        name=name or run_name(str(model)),
        model=str(model),
        levels=chosen_levels(_listed(levels), _NAMES),
        tasks=chosen_tasks(suite, None if tasks is None else _listed(tasks), _NAMES),
        suite=suite,
        include_paths=tuple(map(str, task_folders([Path(path) for path in include_paths], _NAMES))),
        **settings,
    ).resolved(Path.cwd())


def plan_sweep(
    plan: RunPlan, *, methods: str | Iterable[str] = ("maw",), repairs: str | Iterable[str] = ("none",)
) -> list[RunPlan]:
    """A plan for each method and repair, to be started one after another; the first measures the unpruned model, and
    the others are compared with that.

    Args:
        plan: as `plan_run` gives it; its own method and repair do not count.
        methods: of `METHODS`, "maw,obs" or ["maw", "obs"].
        repairs: "none", "lsq" or both.

    Raises:
        UserError: no such method or repair, or the plan names a calibration text that none of them looks at.
    """
    return spread([plan], chosen_methods(_listed(methods), _NAMES), chosen_repairs(_listed(repairs), _NAMES))


class Run:
    """One run: what it is doing, and what can be done about it. `start_run` and `find_run` give one."""

    def __init__(self, folder: RunDir) -> None:
        self._folder = folder
        self._turns_before: int | None = None  # when it was last started from here
        self._refused: str | None = None

    def __repr__(self) -> str:
        return f"<Run {self.run_id} ({self._folder.name}): {self.state}>"

    @property
    def run_id(self) -> str:
        return self._folder.run_id

    @property
    def folder(self) -> Path:
        """Its plan.json, journal.jsonl, samples and worker.log lie here."""
        return self._folder.path

    @property
    def database(self) -> Path:
        """The results file that the run fills."""
        return self._folder.database

    @property
    def plan(self) -> RunPlan:
        return self._folder.plan

    @property
    def state(self) -> RunState:
        """Where it stands now, a text: queued, running, finished, finished with failures, stopped, interrupted,
        refused or crashed.
        """
        return RunState.REFUSED if self._refused is not None else self._folder.state()

    @property
    def progress(self) -> Progress:
        """Cells (level and task) done, failed and in all; the current one; seconds left, None until there is a rate."""
        return progress(self._folder.history()[0])

    @property
    def failures(self) -> Mapping[tuple[str, str], FailureFacts]:
        """What went wrong in the latest attempt: by level and task an `error`, one line, and its `detail`."""
        return self._folder.history()[0].failures

    def wait(self, timeout: float | None = None) -> RunState:
        """Wait for the end, bring the results into the database, and say how the run ended.

        Cells that failed do not make it raise: they are in `failures`. After `timeout` seconds it returns "running".
        Ctrl-C ends the waiting, and not the run.

        Raises:
            UserError: the plan cannot be carried out as it stands; says why. If it was started from here, and nothing
                was done, its folder is gone then.
            DatabaseBusyError: the results are in the run's folder, and somebody holds the database: wait again.
            RuntimeError: the worker crashed or was killed; what was done until then is kept, for `resume`.
        """
        if self._refused is not None:
            raise UserError(self._refused)
        deadline = None if timeout is None else time.monotonic() + timeout
        while (state := self.state) is RunState.RUNNING:
            if deadline is not None and time.monotonic() > deadline:
                return state
            time.sleep(_POLL_SECONDS)
        history, _ = self._folder.history()
        if state is RunState.REFUSED:
            why = launch.refusal(self._folder, history)
            before = self._turns_before
            if before is not None and launch.remove_refused(self._folder, history, turns_before=before):
                self._refused = why
            raise UserError(why)
        if state in (RunState.CRASHED, RunState.INTERRUPTED):
            last = " ".join(launch.log_tail(self._folder, 1)) or "no word why"
            raise RuntimeError(f"The worker of run {self.run_id} {state} ({last}): its log is {self._folder.log_path}.")
        if self._folder.journal_path.exists():
            merge_run(self.database, self.folder, wait=2.0)
        return state

    def stop(self) -> None:
        """Ask its worker to stop, which it does within a batch; `wait` says when it has.

        Raises:
            UserError: it is not running, or works on another machine.
        """
        stopping.ask(self._folder)

    def resume(self, *, in_process: bool = False) -> Run:
        """Do what is missing: cells not reached yet, and those that failed. Returns itself, for `wait`.

        In a worker it goes on when this process ends. `in_process` does the work here and returns when it is done:
        torch is loaded here, Ctrl-C stops between two batches, and Python's, numpy's and torch's seeds are set.

        Raises:
            RunBusyError: a worker has it already.
            JournalError: its journal is damaged.
            UserError: its tasks or its model's folder are not what they were.
        """
        if self.state is RunState.FINISHED:
            return self
        _check(self.plan)
        return self._begin(in_process=in_process)

    def _begin(self, *, in_process: bool) -> Run:
        """As `resume`, of a plan that was checked."""
        self._turns_before = self._folder.turns()
        if not in_process:
            launch.start(self._folder)
            return self
        from engine.worker.work import work

        with _environment(_ENVIRONMENT):
            try:
                work(self._folder)
            finally:
                gc.unfreeze()  # what a worker keeps to its end goes here when it is not needed any more
        return self


def start_run(plan: RunPlan, database: str | Path = "results.duckdb", *, in_process: bool = False) -> Run:
    """Write a plan down and begin to work on it; see `Run.resume` for `in_process`, and `Run.wait` for the end.

    Args:
        database: the results file, made where it is missing; the run's folder lies beside it, in `<its stem>.runs`.

    Raises:
        UserError: the file is not a database of ours, there is no such task or model's folder, or the plan holds an
            access token.
        OSError: the folder cannot be written.
    """
    path = Path(database)
    check_database(path)
    _check(plan)
    return Run(create(plan, path))._begin(in_process=in_process)  # pyright: ignore[reportPrivateUsage]


def find_run(text: str = "latest", database: str | Path = "results.duckdb") -> Run:
    """A run by its id, the beginning of one, its name, or "latest".

    Raises:
        UserError: no run fits, or several do.
    """
    return Run(rundir.find(Path(database), text))


def _check(plan: RunPlan) -> None:
    """Raises:
    UserError: it cannot be carried out, as can be told without loading a model.
    """
    with suppress(UnlistedError):  # the worker looks for them itself
        plan_check.check(plan)


def _listed(what: str | Iterable[object]) -> str:
    return what if isinstance(what, str) else ",".join(map(str, what))


@contextmanager
def _environment(entries: Mapping[str, str]) -> Generator[None]:
    before = {name: os.environ.get(name) for name in entries}
    os.environ.update(entries)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
