"""One sitting with runs: start their workers, watch them, and say how they ended."""

from __future__ import annotations

import shlex
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

import typer

from engine import launch, rundir
from engine.errors import UserError
from engine.plan import RunPlan
from engine.progress import RunTracker
from engine.rundir import RunDir, RunState
from tui.cli.follow import Detached, View, follow
from tui.cli.output import console, one_line, print_json
from warehouse.errors import DatabaseBusyError
from warehouse.journal import Event

_ENDS = ("stopped", "finished", "refused", "crashed")
_FULL = 2**16  # bytes: not enough to go on with


def check_database(db: Path) -> None:
    """Before hours of work: will the results find a home?

    Raises:
        UserError: the file is not a database of ours. One that is merely busy is fine: results can wait.
    """
    from warehouse.db import open_read

    if not db.exists():
        return
    try:
        with open_read(db, wait=0):
            pass
    except DatabaseBusyError:
        pass


def find(db: Path, text: str) -> RunDir:
    """The run that a person means; see `rundir.find`.

    Raises:
        UserError: no run fits, or several do. Where there is none at all, a file that is no database of ours is the
            better reason.
    """
    root = rundir.runs_root(db)
    if not rundir.all_runs(root):
        check_database(db)
    return rundir.find(root, text)


def create(plan: RunPlan, db: Path) -> RunDir:
    return RunDir.create(rundir.runs_root(db), plan, db)


def detach(run: RunDir, *, as_json: bool) -> None:
    """Start a run's worker and leave it."""
    launch.start(run)
    _say(f"Run {run.run_id} works in the background: `prune-tui runs` shows it, `prune-tui stop` ends it.")
    if as_json:
        print_json({"runs": [summary(run)]})


def work(runs: Iterable[RunDir], db: Path, *, quiet: bool, as_json: bool) -> int:
    """Carry out runs one after another, and return the exit code: the worst of theirs."""
    codes: list[int] = []
    summaries = []
    for run in runs:
        codes.append(_carry_out(run, db, quiet=quiet, tables=not as_json))
        if as_json and run.path.exists():
            summaries.append(summary(run))
        if codes[-1] == launch.STOPPED:
            break
    if as_json:
        print_json({"runs": summaries})
    return max(codes, default=0)


def _carry_out(run: RunDir, db: Path, *, quiet: bool, tables: bool) -> int:
    """Work on one run to its end; returns the exit code."""
    if run.state() == RunState.FINISHED:
        _say(f"Run {run.run_id} is finished: nothing is missing.")
        _merge(run, db)
        return launch.FINISHED
    tracker, offset = run.tracker()
    worker = launch.start(run)
    try:
        code = follow(worker, run.journal_path, tracker, _view(run, tracker, quiet=quiet), offset)
    except Detached:
        _say(f"Left alone, run {run.run_id} stops by itself: `prune-tui resume {run.run_id}` takes it up again.")
        return launch.STOPPED
    if code == launch.REFUSED and offset == 0 and not tracker.cells and run.holder() is None:
        _say(f"prune-tui: {_refusal(run)}")
        shutil.rmtree(run.path)  # nothing was done, and nothing can be as it stands
        return code
    merged = _merge(run, db)
    code = _conclude(run, tracker, code)
    if tables and merged and tracker.cells:
        _show(db, run, tracker)
    return code


def _conclude(run: RunDir, tracker: RunTracker, code: int) -> int:
    """Say how the run ended, if not well, and what to do; returns our exit code for the worker's."""
    again = f"`prune-tui resume {run.run_id}`"
    progress = tracker.progress()
    done = f"{progress.done} of {progress.total} cells are done" if progress.total else "no cell is done"
    end = _end(run)
    match code:
        case launch.FINISHED:
            return code
        case launch.STOPPED:
            _say(f"Stopped; {done}. {again} takes the run up again.")
            return code
        case launch.REFUSED:
            _say(f"prune-tui: {_refusal(run)}")
            _say(f"So far, {done}; {again} takes the run up again.")
            return code
        case launch.FAILED if end is not None and end.kind == "finished":
            _say(f"{progress.failed} of {progress.total} cells failed; {again} tries them again:")
            for (level, task), error in tracker.errors.items():
                _say(f"  level {level} {task}: {error}")
            return code
    if shutil.disk_usage(run.path).free < _FULL:
        _say(f"prune-tui: The disk is full: free some space, then go on with {again}; {done}.")
        return launch.REFUSED
    if end is not None and end.kind == "crashed":
        why = f"met a defect ({end.data['error']})"
    elif code < 0:
        why = f"was killed by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            why += ", as the system does when memory runs out"
    else:
        why = f"ended with exit code {code} and no word why"
        for line in launch.log_tail(run):
            _say(f"  | {line}")
    _say(f"The worker {why}; {done}. Its log is {run.log_path}; {again} takes the run up again.")
    return launch.FAILED


def _end(run: RunDir) -> Event | None:
    """How the latest attempt ended, in its own words."""
    turns = [event for event in run.events() if event.kind == "attempt" or event.kind in _ENDS]
    return turns[-1] if turns and turns[-1].kind in _ENDS else None


def summary(run: RunDir) -> dict:
    """A run in plain values, for `--json`."""
    tracker, _ = run.tracker()
    progress = tracker.progress()
    return {
        "run_id": run.run_id,
        "name": run.plan.name,
        "model": tracker.model or run.plan.model,
        "method": run.plan.method,
        "state": str(run.state()),
        "created_at": run.created_at.isoformat(),
        "database": str(run.database),
        "folder": str(run.path.resolve()),
        "levels": tracker.levels,
        "cells": {"done": progress.done, "failed": progress.failed, "total": progress.total},
        "current": None
        if progress.current is None
        else {"level": progress.current.level, "task": progress.current.task},
        "seconds_left": progress.seconds_left,
        "failures": [{"level": level, "task": task, "error": error} for (level, task), error in tracker.errors.items()],
    }


def _refusal(run: RunDir) -> str:
    end = _end(run)
    if end is not None and end.kind == "refused":
        return end.data["error"]
    return " ".join(launch.log_tail(run, 1)) or "The worker refused the plan without saying why."


def _merge(run: RunDir, db: Path) -> bool:
    """Bring the database up to date, or say why it has to wait."""
    from warehouse.merge import merge_run

    try:
        merge_run(db, run.path, wait=2.0)
    except UserError as error:
        _say(f"The results are in {run.path} until `prune-tui merge` can bring them over: {error}")
        return False
    return True


def _show(db: Path, run: RunDir, tracker: RunTracker) -> None:
    """The delta tables that the run has a part in, and where to find them again."""
    from tui.cli.deltas import print_tables
    from warehouse.deltas import read_deltas
    from warehouse.runs import list_runs

    try:
        model = next((known.model_id for known in list_runs(db) if known.run_id == run.run_id), None)
        if model is None:
            return
        deltas = read_deltas(db, model=model, method=run.plan.method)
    except UserError as error:
        _say(str(error))
        return
    print_tables(console(), [table for table in deltas.tables if run.run_id in table.run_ids])
    name = shlex.quote(tracker.model or run.plan.model)
    _say(f"Results are in {db}: `prune-tui export deltas --model {name}` prints them for a paper.")


def _view(run: RunDir, tracker: RunTracker, *, quiet: bool) -> View:
    screen = console(stderr=True)
    title = f"Run {run.run_id} ({run.plan.name}), in {run.path}"
    if quiet or not screen.is_terminal:
        from tui.cli.lines import LineView

        return LineView(screen, title)
    from tui.cli.live import LiveView

    _say(title)
    return LiveView(screen, tracker)


def _say(text: str) -> None:
    typer.echo(one_line(text) if not text.startswith("  ") else f"  {one_line(text)}", err=True)
