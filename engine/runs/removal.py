"""Deleting a run for good: what the database has of it, and its folder."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from engine.errors import UserError
from engine.runs import launch_record
from engine.runs.rundir import RunDir


def delete(run_id: str, run: RunDir | None, database: Path) -> None:
    """Its results in the database first, then its folder, where it has one.

    The run's lock is held meanwhile, so that no other process takes it up.

    Raises:
        UserError: it is running, or the database is held by another process; nothing is lost then.
        OSError: the folder stays.
    """
    from warehouse.merging.delete_run import delete_run

    with run.lock() if run is not None else nullcontext():
        if run is not None and (start := launch_record.read(run.path)) is not None and start.is_alive():
            raise UserError(f"Run {run.name} has just been taken up by process {start.pid}: stop it first.")
        if database.exists():
            delete_run(database, run_id, wait=2.0)
        if run is not None:
            run.remove()
