"""The runs of a sweep, found by whatever names the sweep or one of them. Their plans say which belong together."""

from __future__ import annotations

from pathlib import Path

from engine.errors import UserError
from engine.runs import rundir
from engine.runs.rundir import RunDir
from warehouse.records.names import runs_called


def members(database: Path, sweep: str) -> list[RunDir]:
    """A sweep's runs in the order they were made: its pieces, from the first."""
    return [run for run in rundir.all_runs(database) if _of(run)[0] == sweep]


def named_sweep(database: Path, text: str, *, by_beginning: bool = True) -> str | None:
    """The id of the sweep that a person means by its id, its name or the beginning of its id; None: by none of them.

    Without `by_beginning` that of an id is not enough.

    Raises:
        UserError: several fit.
    """
    known = dict(_of(run) for run in rundir.all_runs(database))
    names = {sweep: name for sweep, name in known.items() if sweep is not None}
    fitting = (
        [sweep for sweep in names if sweep == text]
        or [sweep for sweep, name in names.items() if name == text]
        or [sweep for sweep in names if by_beginning and text and sweep[: len(text)] == text]
    )
    if len(fitting) > 1:
        raise UserError(f"'{text}' fits {len(fitting)} sweeps: give more of the id, such as {', '.join(fitting[-5:])}.")
    return fitting[0] if fitting else None


def find(database: Path, text: str) -> list[RunDir]:
    """The runs that a person means: a sweep's, by its whole id, or one; else a sweep's by its name, or by the beginning
    of its id where no run's id begins so.

    Raises:
        UserError: none fit, or too many.
    """
    if found := members(database, text):
        return found
    try:
        return [rundir.find(database, text)]
    except UserError:
        several = bool(runs_called(text, rundir.all_runs(database)))
        if (sweep := named_sweep(database, text, by_beginning=not several)) is None:
            raise
        return members(database, sweep)


def _of(run: RunDir) -> tuple[str | None, str | None]:
    try:
        plan = run.plan
    except UserError:  # damaged: whoever lists runs says so
        return None, None
    return plan.sweep, plan.sweep_name
