"""Whether somebody works on runs, and what became of them, as an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.runs import launch
from engine.runs.rundir import RunDir
from engine.sweeps.driving import carried_out_by
from warehouse.records.run_state import RunState

_CODES = {RunState.FINISHED: launch.FINISHED, RunState.REFUSED: launch.REFUSED, RunState.STOPPED: launch.STOPPED}


def is_at_work(runs: Sequence[RunDir], database: Path) -> bool:
    """Whether one of them is being worked on, or will be by whoever carries their sweep out."""
    sweeps = {run.plan.sweep for run in runs if len(runs) > 1} - {None}
    # The sweep first: its last run has ended before whoever carries it out lets go.
    if any(carried_out_by(database, sweep) is not None for sweep in sweeps if sweep is not None):
        return True
    return any(run.state() == RunState.RUNNING for run in runs)


def code_of(state: RunState) -> int:
    """As `run` would end: a run that is not done and that nobody works on has failed."""
    return _CODES.get(state, launch.FAILED)
