"""Commands about runs and sweeps for scripts: wait for them, read what they said, delete them, do one piece."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from engine.errors import UserError
from engine.runs import launch, removal
from engine.runs.create import check_database
from engine.runs.rundir import RunDir
from engine.sweeps import groups
from engine.sweeps.driving import carried_out_by
from engine.sweeps.waiting import code_of, is_at_work
from tui.cli import session
from tui.cli.completion import RunsArgument
from tui.cli.lines import LineView
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json, Quiet
from tui.cli.output import console
from warehouse.commands import hint
from warehouse.records.run_state import RunHistory, RunState
from warehouse.store import journal
from warehouse.text import one_line

_POLL_SECONDS = 0.2
_ENDED_BADLY = (RunState.CRASHED, RunState.INTERRUPTED, RunState.REFUSED)


def wait(text: RunsArgument, db: Database = DEFAULT_DATABASE, debug: Debug = False) -> None:
    """Wait until a run, or all of a sweep, has ended; the exit code is the worst of theirs.

    0: all is measured. 1: cells failed, a worker died, or nobody works on a run that is not done. 2: a plan was
    refused. 130: stopped.
    """
    runs = session.find_all(db, text)
    while is_at_work(runs, db):
        time.sleep(_POLL_SECONDS)
    for run in runs:
        state = run.state()
        if state != RunState.FINISHED:
            again = hint("resume", run.run_id, db=db)
            typer.echo(f"Run {run.run_id} ({one_line(run.name)}) is {state}: `{again}` goes on with it.", err=True)
    raise typer.Exit(max(code_of(run.state()) for run in runs))


def logs(
    text: RunsArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until it has ended.")] = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Print what a run said, line by line; of a sweep all its runs, each line with its name.

    Of a worker that died, what it printed last comes after that.
    """
    runs = session.find_all(db, text)
    screen = console()
    views = [LineView(screen, None, f"{run.name}: " if len(runs) > 1 else "") for run in runs]
    histories = [RunHistory(tuple(map(str, run.plan.levels))) for run in runs]
    offsets = [0] * len(runs)
    while True:
        more = follow and is_at_work(runs, db)  # before their journals are read: the last events are not missed
        for number, run in enumerate(runs):
            if run.journal_path.exists():
                history = histories[number]
                events, offsets[number] = journal.read(run.journal_path, offsets[number], after=history.seq)
                for event in events:
                    history.take(event)
                    views[number].event(event, history)
        if not more:
            break
        time.sleep(_POLL_SECONDS)
    for run in runs:
        if run.state() in _ENDED_BADLY:
            for line in launch.log_tail(run):
                screen.print(f"  | {one_line(line)}", soft_wrap=True)


def delete(
    text: RunsArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do it: without this, it is only said.")] = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Delete a run, or all of a sweep: results in the database, and the folder with journal and samples."""
    check_database(db)
    runs = session.find_all(db, text)
    sweep = runs[0].plan.sweep if len(runs) > 1 else None
    if sweep is not None and (who := carried_out_by(db, sweep)) is not None:
        raise UserError(f"Sweep {sweep} is being carried out by {who}: `{hint('stop', sweep, db=db)}` stops it.")
    for run in runs:
        if run.state() == RunState.RUNNING:
            raise UserError(
                f"Run {run.run_id} is being worked on, and nothing was deleted: "
                f"`{hint('stop', run.run_id, db=db)}` stops it."
            )
    if not yes:
        listed = ", ".join(f"{run.run_id} ({run.name})" for run in runs)
        raise UserError(f"This would delete {_count(runs)}, with all results: {listed}. Add --yes to do so.")
    for run in runs:
        removal.delete(run.run_id, run, db)
        typer.echo(f"Run {run.run_id} is deleted.", err=True)


def worker(
    text: Annotated[str, typer.Argument(metavar="SWEEP", help="Its id, the beginning of one, or its name.")],
    piece: Annotated[int, typer.Option(metavar="N", help="Which of its runs, counted from 1 as `runs` lists them.")],
    db: Database = DEFAULT_DATABASE,
    quiet: Quiet = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Carry out one run of a sweep, as a job of an array does; from its journal, if it was begun before."""
    check_database(db)
    sweep = groups.named_sweep(db, text)
    if sweep is None:
        raise UserError(f"There is no sweep '{text}': `{hint('runs', db=db)}` lists them.")
    runs = groups.members(db, sweep)
    if not 1 <= piece <= len(runs):
        raise UserError(f"Sweep {sweep} has no piece {piece}: it has 1 to {len(runs)}.")
    raise typer.Exit(session.work([runs[piece - 1]], db, plain=False, quiet=quiet, as_json=as_json))


def _count(runs: Sequence[RunDir]) -> str:
    return "a run" if len(runs) == 1 else f"{len(runs)} runs"
