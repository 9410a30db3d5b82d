"""What can be done to runs. These block (processes, files, the database): call them in a thread."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.errors import UserError
from engine.planning.draft import Draft
from engine.planning.suites import DEMO_MODEL
from engine.runs import create, launch, removal, stopping
from engine.runs.rundir import RunDir
from engine.runs.stopping import Worker
from engine.sweeps import driving, steering
from tui.runs.record import RunRow
from tui.runs.without import plan_without
from warehouse.records.run_state import RunState


def resume(row: RunRow) -> None:
    """Have what is missing done: by a worker here, or on the cluster that the run was on.

    Raises:
        UserError, OSError: there is nothing to do, or it cannot be done here.
    """
    run = _folder(row)
    where = driving.cluster_of(run.database, driving.job_of([run]))
    if where is None:
        launch.start(run)
    else:
        steering.carry_on([run], run.database, where)


def start_demo(database: Path) -> RunDir:
    """Errors as `create.start_new`."""
    return create.start_new(Draft(model=DEMO_MODEL, suite="demo").plan(), database)


def start_without(row: RunRow, task: str, database: Path) -> RunDir:
    """Start a new run of a plan without one of its tasks.

    Raises:
        UserError, OSError: nothing would be left of it, or it cannot be started.
    """
    return create.start_new(plan_without(_folder(row).plan, task), database)


def stop(row: RunRow) -> Worker:
    """Ask for it, and return whom.

    Raises:
        UserError: it is not running, or runs on another machine.
    """
    return stopping.ask(_folder(row))


def delete(rows: Iterable[RunRow], database: Path) -> None:
    """Remove runs for good, one after the other; errors as `removal.delete`."""
    for row in rows:
        folder = RunDir(row.folder) if row.folder is not None and row.folder.exists() else None
        removal.delete(row.run_id, folder, database)


def remove_refused(started_here: Iterable[RunDir], shown: Iterable[RunRow]) -> None:
    """Once the dashboard is closed: take away the runs it started that were refused, as it has shown, with the reason.
    Until then their plans can be changed and started again.

    Raises:
        UserError, OSError: one cannot be read or taken away.
    """
    refused = {row.run_id for row in shown if row.state == RunState.REFUSED}
    for run in started_here:
        if run.run_id in refused and run.path.exists():
            launch.remove_refused(run, run.history()[0], turns_before=0)


def import_published(database: Path) -> str:
    """Bring in the published study; returns what was brought in.

    Raises:
        UserError: the database cannot be written.
    """
    from warehouse.importers import import_published as bring_in

    return str(bring_in(database))


def _folder(row: RunRow) -> RunDir:
    if row.folder is None:
        raise UserError(f"Run {row.name} has no folder here: only its results are known.")
    return RunDir(row.folder)
