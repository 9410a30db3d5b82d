"""Every run that there is to speak of: those with a folder beside the database, and those that only it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UserError
from engine.runs import rundir
from engine.runs.rundir import RunDir
from warehouse.errors import DatabaseBusyError
from warehouse.records.names import runs_called
from warehouse.records.run_state import RunState

if TYPE_CHECKING:
    from warehouse.read.runs import RunSummary

_STATES = {"planned": RunState.QUEUED, "started": RunState.INTERRUPTED}  # as a run with a folder would say it


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run by its folder, by the database, or by both."""

    run_id: str
    name: str
    folder: RunDir | None


def stored_only(db: Path, *, wait: float = 2.0) -> tuple[list[RunSummary], UserError | None]:
    """Imports, and runs whose folders are elsewhere, oldest first; and why they cannot be had, where that is so.

    Raises:
        UserError: there is neither a database nor a folder of runs.
    """
    with_folder = {run.run_id for run in rundir.all_runs(db)}
    if not db.exists() and with_folder:
        return [], None
    from warehouse.read.runs import list_runs

    try:
        listed = list_runs(db, wait=wait)
    except DatabaseBusyError as error:
        return [], UserError(f"Imports are not listed: {error}")
    except UserError as error:
        if not with_folder:
            raise
        return [], error
    return [one for one in reversed(listed) if one.run_id not in with_folder], None


def find(db: Path, text: str) -> KnownRun:
    """The run or import that a person means by its id, the beginning of one, its name, or `latest`: of runs with a
    folder, where there are any.

    Raises:
        UserError: none fits, or several do; or there is no database.
    """
    folders = [KnownRun(run.run_id, run.name, run) for run in rundir.all_runs(db)]
    if text == "latest" and folders:
        return folders[-1]
    if [found for found in folders if found.run_id == text]:
        return next(found for found in folders if found.run_id == text)
    stored, why_none = stored_only(db)
    known = [*(KnownRun(one.run_id, one.name, None) for one in stored), *folders]
    if not known:
        raise why_none or UserError(f"{rundir.none_there(db)}, and nothing was imported into {db}.")
    if text == "latest":
        return known[-1]
    fitting = runs_called(text, known)
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{run.run_id} ({run.name})" for run in reversed((fitting or known)[-5:]))
    if fitting:
        raise UserError(f"'{text}' fits {len(fitting)} runs: give more of the id, such as {listed}.")
    raise UserError(f"There is no run '{text}': the latest are {listed}." + (f" {why_none}" if why_none else ""))


def _state(run: RunSummary) -> str:
    """What the database says last of a run, in the words that runs with a folder have."""
    if run.state == "finished" and run.cells_failed:
        return RunState.FINISHED_WITH_FAILURES
    return _STATES.get(run.state, run.state)


def plain(run: RunSummary, db: Path) -> dict[str, Any]:
    """A run that only the database knows, for `--json`: the fields of `session.summary_of`."""
    settled = run.cells_done + run.cells_failed
    return {
        "run_id": run.run_id,
        "name": run.name,
        "origin": run.origin,
        "model": run.model,
        "method": run.method,
        "repair": run.repair,
        "sweep": run.sweep,
        "sweep_name": None,
        "state": _state(run),
        "created_at": run.created_at.replace(tzinfo=UTC).isoformat(),
        "database": str(db.resolve()),
        "folder": None,
        "levels": run.levels,
        "cells": {"done": run.cells_done, "failed": run.cells_failed, "total": settled},
        "current": None,
        "seconds_left": None,
        "failures": [],
    }


def row(run: RunSummary) -> Sequence[str]:
    """Its line in the list of runs."""
    from warehouse.text import one_line

    where = f"imported ({run.origin})" if run.origin != "run" else f"{_state(run)}, without its folder"
    failed = f", {run.cells_failed} failed" if run.cells_failed else ""
    return run.run_id, one_line(run.name), where, f"{run.cells_done}{failed}", ""
