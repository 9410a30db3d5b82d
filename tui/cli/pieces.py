"""A sitting with the pieces of a sweep: one after another, or side by side on several GPUs, told line by line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from engine.errors import UserError
from engine.planning import preview
from engine.planning.memory_forecast import memory_forecast
from engine.planning.where import LOCAL, Where
from engine.runs import launch
from engine.runs.rundir import RunDir, runs_root
from engine.sweeps import ray_cluster
from engine.sweeps.carrying import MOST_RETRIES, Carrying
from engine.sweeps.driving import carrying_out, cluster_of, job_of, remember
from engine.sweeps.executor import Executor, LocalExecutor
from engine.sweeps.places import Places
from engine.sweeps.ray_executor import RayExecutor
from tui.cli import session
from tui.cli.follow import Detached, counted_interrupts
from tui.cli.lines import LineView
from tui.cli.output import console, print_json
from warehouse.commands import hint
from warehouse.records.events import Event
from warehouse.records.facts import CellFacts
from warehouse.records.run_state import RunHistory
from warehouse.text import counted, one_line

_MERGING = 0.05  # of the time at most goes into bringing the database up to date beside the runs


def where_again(runs: Sequence[RunDir], db: Path, on: str | None, alone: str | None, gpus: str | None) -> Where:
    """Where runs go on: as is said, else on the cluster that carried them out before, else here.

    Raises:
        UserError: there is no such place.
    """
    before = cluster_of(db, job_of(runs)) if on is None and gpus is None else None
    if before is not None:
        _say(f"It goes on on {before.on}, where it was carried out before; --on {LOCAL} would have it go on here.")
    told: dict[str, Any] = {"on": before.on if before is not None else on, "alone": alone, "gpus": gpus}
    if before is not None and alone is None:
        told["alone"] = before.alone
    return Where(**{key: value for key, value in told.items() if value is not None})


def work(runs: Sequence[RunDir], places: Places, db: Path, *, plain: bool, quiet: bool, as_json: bool) -> int:
    """Carry runs out and return the exit code, the worst of theirs.

    Raises:
        RunBusyError: somebody else carries this out. On a cluster two would take each other's places.
    """
    job, where = job_of(runs), places.where
    with carrying_out(db, job if where.is_cluster or len(runs) > 1 else None):
        remember(db, job, where)
        if where.is_cluster:
            cluster = ray_cluster.RayCluster(where.address, job, where.alone, runs_root(db), _say)
            with cluster.held():
                return _side_by_side(runs, RayExecutor(cluster), _Lines(db, merges=True), db, as_json=as_json)
        if not places.cards:
            return session.work(runs, db, plain=plain, quiet=quiet, as_json=as_json)
        return _side_by_side(runs, LocalExecutor(places.cards), _Lines(db), db, as_json=as_json)


def write_down(runs: Sequence[RunDir], db: Path, *, as_json: bool) -> None:
    """Say how runs are carried out that were only written down; their name goes to standard output."""
    name = runs[0].plan.sweep or runs[0].run_id
    begin, number = hint("resume", name, db=db), hint("worker", name, "--piece", "1", db=db)
    are = f"{counted(len(runs), 'run')} {'is' if len(runs) == 1 else 'are'}"
    _say(f"{are} written down: `{begin}` carries them out, `{number}` the first of them.")
    if as_json:
        print_json({"runs": [session.summary(run) for run in runs]})
    else:
        typer.echo(name)


def _side_by_side(runs: Sequence[RunDir], executor: Executor, lines: _Lines, db: Path, *, as_json: bool) -> int:
    with counted_interrupts() as interrupts:

        def wants_to_stop() -> bool:
            if len(interrupts) > 1:
                raise Detached
            return bool(interrupts)

        carrying = Carrying(runs, executor, lines, wants_to_stop, _weights)
        try:
            waiting = carrying()
        except Detached:
            _say("Left alone, the runs stop by themselves; `runs` shows where they stand.")
            return launch.STOPPED
    executor.close()
    if waiting:
        whole = runs[0].plan.sweep or waiting[0].run_id
        left = f"{len(waiting)} of {counted(len(runs), 'run')}"
        _say(f"Not done: {left}; `{hint('resume', whole, db=db)}` goes on with them.")
    codes = [max(code, lines.problems.get(run_id, 0)) for run_id, code in carrying.codes.items()]
    if as_json:
        print_json({"runs": [session.summary(run) for run in runs if run.path.exists()]})
    else:
        lines.show_tables()
    return max([*codes, launch.STOPPED if waiting else 0])


def _weights(run: RunDir) -> int:
    """Bytes that the unpruned model's weights take on a GPU; 0 where its files are not here."""
    plan = run.plan
    try:
        shape = preview.inspect(plan.model, plan.revision, trust_remote_code=plan.trust_remote_code)
    except UserError:  # the worker will say so
        return 0
    if shape is None:
        return 0
    device = "cuda" if plan.device == "auto" else plan.device
    return memory_forecast(replace(plan, device=device), shape, ()).weights


class _Lines:
    """The watcher of pieces: a line for each thing worth knowing, with the place and the name of its run."""

    def __init__(self, db: Path, *, merges: bool = False) -> None:
        """`merges`: nobody else brings the database up to date while the runs go on."""
        self.problems: dict[str, int] = {}
        self._db = db
        self._merges = merges
        self._merge_at = 0.0
        self._views: dict[str, LineView] = {}
        self._done: list[tuple[RunDir, RunHistory]] = []

    def begins(self, run: RunDir, place: str) -> None:
        _say(f"{place}: run {run.run_id} ({run.plan.name}) begins.")
        self._views[run.run_id] = LineView(console(stderr=True), None, f"{place}, {run.plan.name}: ")

    def cannot_begin(self, run: RunDir, error: UserError) -> None:
        _say(f"prune-tui: {error}")

    def event(self, run: RunDir, event: Event, history: RunHistory) -> None:
        self._views[run.run_id].event(event, history)
        if self._merges and isinstance(event.data, CellFacts) and (began := time.monotonic()) >= self._merge_at:
            session.merge(run, self._db)
            self._merge_at = time.monotonic() + max(2.0, (time.monotonic() - began) / _MERGING)

    def dies(self, run: RunDir, history: RunHistory, code: int, retry: int) -> None:
        _say(
            f"The worker of run {run.run_id} ({run.plan.name}) {session.cause_of_death(run, history, code)}; "
            f"it goes on from its journal, {retry} of at most {MOST_RETRIES} times."
        )

    def moves(self, run: RunDir, place: str) -> None:
        _say(f"The memory of {place} was not enough for run {run.run_id} ({run.plan.name}): it goes on where is more.")

    def ends(self, run: RunDir, history: RunHistory, code: int, turns_before: int) -> None:
        if code == launch.REFUSED:
            why = launch.refusal(run, history)
            if launch.remove_refused(run, history, turns_before=turns_before):
                _say(f"prune-tui: {run.plan.model if run.path.exists() else run.run_id}: {why}")
                return
        problem = session.merge(run, self._db)
        if code != launch.FINISHED:
            _say(f"Run {run.run_id} ({run.plan.name}):")
        session.conclude(run, history, code, self._db)
        self.problems[run.run_id] = session.with_problem(problem, 0)
        if problem is None and history.settled:
            self._done.append((run, history))

    def show_tables(self) -> None:
        """Once for each model and way of pruning: pieces of one share their table."""
        shown = {(run.plan.model, run.plan.method, run.plan.repair): (run, history) for run, history in self._done}
        for run, history in shown.values():
            session.show_tables(self._db, run, history, session.Showing(plain=True, quiet=False, tables=True))


def _say(text: str) -> None:
    typer.echo(one_line(text), err=True)
