"""One sitting with runs: start their workers, watch them, and say how they ended."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import typer

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.runs import launch, rundir
from engine.runs.create import check_database
from engine.runs.digests import Digest
from engine.runs.keeping import Keeper, Process
from engine.runs.progress import progress
from engine.runs.rundir import RunDir
from engine.sweeps import groups
from tui.cli.follow import Detached, View, follow
from tui.cli.output import console, print_json
from tui.format import done_of
from warehouse.commands import hint
from warehouse.errors import DatabaseBusyError
from warehouse.records.events import Crashed, Finished
from warehouse.records.run_state import RunHistory, RunState
from warehouse.store import run_folders
from warehouse.text import counted, one_line

_TAKEN_UP_WITHIN = 60.0  # seconds for which --detach waits to hear that a plan is refused
_POLL_SECONDS = 0.1

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What is shown of runs while they work, and whether their scores are at the end."""

    plain: bool
    quiet: bool
    tables: bool


def find(db: Path, text: str) -> RunDir:
    """The run that a person means; see `rundir.find`.

    Raises:
        UserError: no run fits, or several do. Where there is none at all, a file that is no database of ours is the
            better reason.
    """
    if not rundir.all_runs(db):
        check_database(db)
    return rundir.find(db, text)


def like(db: Path, text: str, use: Callable[[RunDir], T]) -> T:
    """What `use` makes of the run that a person names after --like; `latest` is the latest that it does not refuse.

    Raises:
        UserError: as `find`; `use` refuses the run, or all of them.
    """
    if text != "latest":
        return use(find(db, text))
    find(db, text)  # there is one
    why = None
    for run in reversed(rundir.all_runs(db)):
        try:
            return use(run)
        except UserError as error:
            why = why or error
    raise UserError(f"--like latest: no run of {db.name} will do. The latest: {why}")


def find_all(db: Path, text: str) -> list[RunDir]:
    """The runs of the sweep that a person means, or the one run; errors as `find`."""
    if not rundir.all_runs(db):
        check_database(db)
    return groups.find(db, text)


def check_plans(plans: Sequence[RunPlan], *, begun: bool = False, quiet: bool = False) -> None:
    """Before anything slow is loaded: are there the tasks and the models' folders? Of several models also, before hours
    with the first of them: is there each of the others, and can it be pruned so? That was asked already of
    runs that were `begun`.

    Raises:
        UserError: one is wrong, which is named.
    """
    from engine.planning import plan_check
    from engine.planning.task_index import UnlistedError

    none = f"None of the {len(plans)} runs was begun: " if len(plans) > 1 and not begun else ""
    for plan in plans:
        try:
            plan_check.check(plan, reading=_say_nothing if quiet else _say_that_tasks_are_read)
        except UnlistedError as error:
            _say(f"{error} The tasks are looked for when their turn comes.")
        except UserError as error:
            raise UserError(f"{none}{error}") from error
    # A model's first plan has all of the others' levels; a single model is found wanting as soon as its run begins.
    firsts = list(reversed({(plan.model, plan.revision): plan for plan in reversed(plans)}.values()))
    if len(firsts) > 1 and not begun:
        _check_models(firsts)


def _say_that_tasks_are_read() -> None:
    _say("Reading lm-eval's task files, once for this lm-eval…")


def _say_nothing() -> None:
    """In the place of what is said of progress."""


def _check_models(plans: Sequence[RunPlan]) -> None:
    """Raises:
    UserError: one of the models is nowhere, or cannot be pruned so.
    """
    from engine.planning import preview

    names = [preview.ModelName(plan.model, plan.revision, plan.trust_remote_code) for plan in plans]
    for plan, shape in zip(plans, preview.inspect_each(names, online=True), strict=True):
        try:
            if isinstance(shape, UserError):
                raise shape
            if shape is not None:
                shape.widths(plan.levels, plan.divisor)
        except preview.UnseenError as error:
            _say(f"{error} Its run is begun all the same when its turn comes.")
        except UserError as error:
            raise UserError(f"None of the {len(plans)} runs was begun, because of {plan.model}: {error}") from error


def detach(run: RunDir, db: Path, *, as_json: bool) -> None:
    """Start a run's worker and leave it, once it has taken the run up: most plans that are refused are so before.

    Raises:
        UserError: the plan is refused.
    """
    before, deadline = run.turns(), time.monotonic() + _TAKEN_UP_WITHIN
    worker = launch.start(run)
    while worker.poll() is None and run.turns() == before and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    if worker.returncode == launch.REFUSED:
        history, _ = run.history()
        why = launch.refusal(run, history)
        launch.remove_refused(run, history, turns_before=before)
        raise UserError(why)
    shows, ends = hint("runs", db=db), hint("stop", run.run_id, db=db)
    _say(f"Run {run.run_id} works in the background: `{shows}` shows it, `{ends}` ends it.")
    if as_json:
        print_json({"runs": [summary(run)]})


def work(
    runs: Sequence[RunDir], db: Path, *, quiet: bool, as_json: bool, plain: bool = False, tables: bool = True
) -> int:
    """Carry out runs one after another, and return the exit code: the worst of theirs.

    `plain` shows log lines instead of a live display, `quiet` neither; without `tables` no scores follow.
    """
    how = Showing(plain=plain, quiet=quiet, tables=tables and not as_json)
    codes: list[int] = []
    waiting, keeper = list(runs), Keeper()
    try:
        while waiting and launch.STOPPED not in codes:
            codes.append(_carry_out(waiting.pop(0), db, how, keeper.start if len(runs) > 1 else launch.start))
    finally:
        keeper.let_go()
        for run in waiting:
            _say(f"Not begun: {run.plan.model}; `{hint('resume', run.run_id, db=db)}` starts its run.")
    if not as_json and len(runs) > 1:
        _show_side_by_side(db, [run for run in runs if run.path.exists()])
    if as_json:
        there = [run for run in runs if run.path.exists()]
        print_json({"runs": [_with_scores(run, db) for run in there], "method_tests": _method_tests(there, db)})
    return max(codes, default=0)


def _with_scores(run: RunDir, db: Path) -> dict[str, Any]:
    from tui.cli.scores import scores_or_why

    _, scores, why_none = scores_or_why(db, run.run_id)
    if why_none is not None:
        _say(f"The scores of run {run.run_id} are in its journal, not in what is printed here: {why_none}")
    return summary(run) | {"scores": scores}


def _method_tests(runs: Sequence[RunDir], db: Path) -> list[dict[str, Any]]:
    from tui.cli.scores import method_tests_of

    try:
        return method_tests_of(db, [run.run_id for run in runs]) if db.exists() and len(runs) > 1 else []
    except UserError:  # which _with_scores has said
        return []


def _carry_out(run: RunDir, db: Path, how: Showing, start: Callable[[RunDir], Process]) -> int:
    """Work on one run to its end; returns the exit code."""
    if run.state() == RunState.FINISHED:
        if not how.quiet:
            _say(f"Run {run.run_id} is finished: nothing is missing.")
        return with_problem(merge(run, db), launch.FINISHED)
    history, offset = run.history()
    before = history.turns
    worker = start(run)
    Thread(target=_import_what_the_end_needs, name="imports").start()
    try:
        code = follow(worker, run.journal_path, history, _view(run, history, how), offset)
    except Detached:
        _say(f"Left alone, run {run.run_id} stops by itself: `{hint('resume', run.run_id, db=db)}` takes it up again.")
        return launch.STOPPED
    if code == launch.REFUSED:
        why = launch.refusal(run, history)
        if launch.remove_refused(run, history, turns_before=before):
            _say(f"prune-tui: {why}")
            return code
    problem = merge(run, db)
    code = conclude(run, history, code, db)
    if how.tables and problem is None and history.settled:
        show_tables(db, run, history, how)
    return with_problem(problem, code)


def _import_what_the_end_needs() -> None:
    """While the worker imports its own libraries, and another core has nothing to do."""
    for name in ("warehouse.merging.merge", "warehouse.read.deltas", "warehouse.read.runs", "tui.cli.deltas"):
        import_module(name)


def with_problem(problem: UserError | None, code: int) -> int:
    """A run's exit code once its results were to be brought over: that a database is busy is nothing to mend."""
    return code if problem is None or isinstance(problem, DatabaseBusyError) else max(code, launch.REFUSED)


def conclude(run: RunDir, history: RunHistory, code: int, db: Path) -> int:
    """Say how the run ended, if not well, and what to do; returns our exit code for the worker's."""
    again = f"`{hint('resume', run.run_id, db=db)}`"
    reached, end = progress(history), history.end
    done = done_of(reached.done, reached.total) if reached.total else "no evaluation is done"
    match code:
        case launch.FINISHED:
            return code
        case launch.STOPPED:
            _say(f"Stopped; {done}. {again} takes the run up again.")
            return code
        case launch.REFUSED:
            _say(f"prune-tui: {launch.refusal(run, history)}")
            _say(f"So far, {done}; {again} takes the run up again.")
            return code
        case launch.FAILED if isinstance(end, Finished):
            _say(f"{reached.failed} of {counted(reached.total or 0, 'evaluation')} failed; {again} tries them again:")
            for failure in history.failures.values():
                _say(f"  level {failure.level} {failure.task}: {failure.error}")
            return code
    if launch.disk_is_full(run):
        _say(f"prune-tui: The disk is full: free some space, then go on with {again}; {done}.")
        return launch.REFUSED
    why = cause_of_death(run, history, code)
    _say(f"The worker {why}; {done}. Its log is {run.log_path}; {again} takes the run up again.")
    return launch.FAILED


def cause_of_death(run: RunDir, history: RunHistory, code: int) -> str:
    """How a worker ended that did not come to an end of its own; of one that left no word, its log is shown."""
    if code == launch.LOST:
        return "was lost with its node"
    if isinstance(history.end, Crashed):
        return f"met a defect ({history.end.error})"
    if code < 0:
        how = ", as the system does when memory runs out" if -code == signal.SIGKILL else ""
        return f"was killed by {signal.Signals(-code).name}{how}"
    for line in launch.log_tail(run):
        _say(f"  | {line}")
    return f"ended with exit code {code} and no word why"


def summary(run: RunDir) -> dict[str, Any]:
    """A run in plain values, for `--json`."""
    return summary_of(run, Digest.of(run, run.history()[0]))


def summary_of(run: RunDir, digest: Digest) -> dict[str, Any]:
    """The same of a run whose files were read already."""
    return {
        "run_id": run.run_id,
        "name": digest.name,
        "origin": "run",
        "model": digest.model,
        "method": digest.method,
        "repair": digest.repair,
        "sweep": digest.sweep,
        "sweep_name": digest.sweep_name,
        "state": str(digest.standing(run)),
        "created_at": digest.created_at,
        "database": str(run_folders.database_of(run.path, digest.database)),
        "folder": str(run.path.resolve()),
        "levels": list(digest.levels),
        "cells": {"done": digest.done, "failed": digest.failed, "total": digest.total},
        "current": None if digest.current is None else dict(zip(("level", "task"), digest.current, strict=True)),
        "seconds_left": digest.seconds_left,
        "failures": [dict(zip(("level", "task", "error"), one, strict=True)) for one in digest.failures],
    }


def _model(run: RunDir, history: RunHistory) -> str:
    return history.model.model if history.model else run.plan.model


def merge(run: RunDir, db: Path) -> UserError | None:
    """Bring the database up to date, or say why it has to wait, and return that."""
    from warehouse.merging.merge import merge_run

    try:
        merge_run(db, run.path, wait=2.0)
    except UserError as error:
        _say(f"The results are in {run.path} until `{hint('merge', db=db)}` can bring them over: {error}")
        return error
    return None


def show_tables(db: Path, run: RunDir, history: RunHistory, how: Showing) -> None:
    """The delta tables that the run has a part in, and where to find them again."""
    from tui.cli.deltas import print_tables
    from tui.cli.scores import scores_of

    try:
        tables, scores = scores_of(db, run.run_id)
    except UserError as error:
        _say(str(error))
        return
    if not scores:
        return
    print_tables(console(), tables)
    if not how.quiet:
        again = hint("export", "deltas", "--model", _model(run, history), db=db)
        _say(f"Results are in {db}: `{again}` prints them for a paper.")


def _show_side_by_side(db: Path, runs: Sequence[RunDir]) -> None:
    """What each method and repair of a sweep keeps, model by model."""
    from tui.cli.side_by_side import print_side_by_side
    from warehouse.read.deltas import read_deltas
    from warehouse.read.runs import list_runs

    by_model: dict[str, list[RunDir]] = {}
    try:
        models = {summary.run_id: summary.model_id for summary in list_runs(db)}
        for run in runs:
            if (model := models.get(run.run_id)) is not None:
                by_model.setdefault(model, []).append(run)
        for model, own in by_model.items():
            tables = read_deltas(db, model=model).tables
            ways = {(run.run_id, run.plan.method, run.plan.repair) for run in own}
            chosen = [
                table for table in tables if any((run, table.method, table.repair) in ways for run in table.run_ids)
            ]
            print_side_by_side(console(), chosen)
    except UserError as error:
        _say(str(error))


def _view(run: RunDir, history: RunHistory, how: Showing) -> View:
    screen = console(stderr=True)
    if how.quiet:
        from tui.cli.lines import ErrorView

        return ErrorView(screen)
    title = f"Run {run.run_id} ({run.name}), in {run.path}"
    if how.plain or not screen.is_terminal:
        from tui.cli.lines import LineView

        _say(f"Run {run.run_id} begins.")  # its first event comes when libraries and model are loaded
        return LineView(screen, title)
    from tui.cli.live import LiveView

    _say(title)
    return LiveView(screen, history)


def _say(text: str) -> None:
    typer.echo(one_line(text) if not text.startswith("  ") else f"  {one_line(text)}", err=True)
