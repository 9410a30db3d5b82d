"""New runs: whether their results will find a home, and their plans written down."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.runs import launch, rundir
from engine.runs.rundir import RunDir
from warehouse.errors import DatabaseBusyError


def check_database(db: Path) -> None:
    """Before hours of work: will the results find a home?

    Raises:
        UserError: the file is not a database of ours, or lies where its runs' samples could be taken for others. One
            that is merely busy is fine: results can wait.
    """
    if odd := next((character for character in "*[" if character in str(db.absolute())), None):
        raise UserError(
            f"DuckDB takes a path with {odd} in it for a pattern, and could read another run's samples: choose another "
            "--db."
        )
    from warehouse.store import known

    if not db.exists() or known.is_ours(db):
        return
    from warehouse.store.db import open_read

    try:
        with open_read(db, wait=0):
            pass
    except DatabaseBusyError:
        pass


def create(plan: RunPlan, db: Path) -> RunDir:
    """Write a plan down, beside the database that its results go to.

    Raises:
        OSError: the folder cannot be written.
    """
    return RunDir.create(rundir.runs_root(db), plan, db)


def create_all(plans: Sequence[RunPlan], db: Path) -> list[RunDir]:
    """Write all plans down, or none.

    Raises:
        OSError: the folder cannot be written.
    """
    created: list[RunDir] = []
    try:
        for plan in plans:
            created.append(create(plan, db))
    except BaseException:
        for run in created:
            shutil.rmtree(run.path, ignore_errors=True)
        raise
    return created


def start_new(plan: RunPlan, db: Path) -> RunDir:
    """Write a plan down and start its worker.

    Raises:
        UserError, OSError: the folder cannot be written, or the database is not ours.
    """
    check_database(db)
    run = create(plan, db)
    launch.start(run)
    return run
