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
from engine.progress import progress
from engine.rundir import RunDir
from tui.cli.follow import Detached, View, follow
from tui.cli.output import console, one_line, print_json
from warehouse.errors import DatabaseBusyError
from warehouse.records.events import Crashed, Finished
from warehouse.records.run_state import RunHistory, RunState

_FULL = 2**16  # bytes: not enough to go on with


def check_database(db: Path) -> None:
    """Before hours of work: will the results find a home?

    Raises:
        UserError: the file is not a database of ours, or lies where its runs' samples could be taken for others. One
            that is merely busy is fine: results can wait.
    """
    from warehouse.db import open_read

    if odd := next((character for character in "*[" if character in str(db.absolute())), None):
        raise UserError(
            f"DuckDB takes a path with {odd} in it for a pattern, and could read another run's samples: choose another "
            "--db."
        )
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
    history, offset = run.history()
    worker = launch.start(run)
    try:
        code = follow(worker, run.journal_path, history, _view(run, history, quiet=quiet), offset)
    except Detached:
        _say(f"Left alone, run {run.run_id} stops by itself: `prune-tui resume {run.run_id}` takes it up again.")
        return launch.STOPPED
    if code == launch.REFUSED and offset == 0 and not history.settled and run.holder() is None:
        _say(f"prune-tui: {launch.refusal(run, history)}")
        shutil.rmtree(run.path)  # nothing was done, and nothing can be as it stands
        return code
    merged = _merge(run, db)
    code = _conclude(run, history, code)
    if tables and merged and history.settled:
        _show(db, run, history)
    return code


def _conclude(run: RunDir, history: RunHistory, code: int) -> int:
    """Say how the run ended, if not well, and what to do; returns our exit code for the worker's."""
    again = f"`prune-tui resume {run.run_id}`"
    known, end = progress(history), history.end
    done = f"{known.done} of {known.total} cells are done" if known.total else "no cell is done"
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
            _say(f"{known.failed} of {known.total} cells failed; {again} tries them again:")
            for failure in history.failures.values():
                _say(f"  level {failure.level} {failure.task}: {failure.error}")
            return code
    if shutil.disk_usage(run.path).free < _FULL:
        _say(f"prune-tui: The disk is full: free some space, then go on with {again}; {done}.")
        return launch.REFUSED
    if isinstance(end, Crashed):
        why = f"met a defect ({end.error})"
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


def summary(run: RunDir) -> dict:
    """A run in plain values, for `--json`."""
    history, _ = run.history()
    known = progress(history)
    return {
        "run_id": run.run_id,
        "name": run.plan.name,
        "model": _model(run, history),
        "method": run.plan.method,
        "state": str(run.state()),
        "created_at": run.created_at.isoformat(),
        "database": str(run.database),
        "folder": str(run.path.resolve()),
        "levels": list(history.levels),
        "cells": {"done": known.done, "failed": known.failed, "total": known.total},
        "current": None if known.current is None else {"level": known.current.level, "task": known.current.task},
        "seconds_left": known.seconds_left,
        "failures": [{"level": one.level, "task": one.task, "error": one.error} for one in history.failures.values()],
    }


def _model(run: RunDir, history: RunHistory) -> str:
    return history.model.model if history.model else run.plan.model


def _merge(run: RunDir, db: Path) -> bool:
    """Bring the database up to date, or say why it has to wait."""
    from warehouse.merge import merge_run

    try:
        merge_run(db, run.path, wait=2.0)
    except UserError as error:
        _say(f"The results are in {run.path} until `prune-tui merge` can bring them over: {error}")
        return False
    return True


def _show(db: Path, run: RunDir, history: RunHistory) -> None:
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
    name = shlex.quote(_model(run, history))
    _say(f"Results are in {db}: `prune-tui export deltas --model {name}` prints them for a paper.")


def _view(run: RunDir, history: RunHistory, *, quiet: bool) -> View:
    screen = console(stderr=True)
    title = f"Run {run.run_id} ({run.plan.name}), in {run.path}"
    if quiet or not screen.is_terminal:
        from tui.cli.lines import LineView

        return LineView(screen, title)
    from tui.cli.live import LiveView

    _say(title)
    return LiveView(screen, history)


def _say(text: str) -> None:
    typer.echo(one_line(text) if not text.startswith("  ") else f"  {one_line(text)}", err=True)
