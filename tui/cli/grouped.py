"""Sweeps as `runs` lists them: what was started together, and how many of its runs are done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer

from engine.runs.digests import Digest, Digests
from engine.runs.rundir import RunDir
from engine.sweeps.driving import carried_out_by
from tui.cli.output import console
from warehouse.records.run_state import RunState
from warehouse.text import counted, one_line

_LOOK_SECONDS = 1.0

Listed = Sequence[tuple[RunDir, Any]]  # with a digest, or why there is none


def sweeps(listed: Listed, db: Path) -> list[dict[str, Any]]:
    """Oldest first, in plain values. `pieces` counts its runs, and of these the finished ones."""
    found: dict[str, list[tuple[RunDir, Digest]]] = {}
    for run, digest in listed:
        if isinstance(digest, Digest) and digest.sweep is not None:
            found.setdefault(digest.sweep, []).append((run, digest))
    return [_sweep(sweep, runs, db) for sweep, runs in found.items()]


def _sweep(sweep: str, runs: Sequence[tuple[RunDir, Digest]], db: Path) -> dict[str, Any]:
    states = [digest.standing(run) for run, digest in runs]
    totals = [digest.total for _, digest in runs]
    return {
        "sweep": sweep,
        "name": next((digest.sweep_name for _, digest in runs if digest.sweep_name), None),
        "runs": [run.run_id for run, _ in runs],
        "pieces": {"done": states.count(RunState.FINISHED), "total": len(runs)},
        "cells": {
            "done": sum(digest.done for _, digest in runs),
            "failed": sum(digest.failed for _, digest in runs),
            "total": None if None in totals else sum(total or 0 for total in totals),
        },
        "running": RunState.RUNNING in states or carried_out_by(db, sweep) is not None,
    }


def print_sweeps(listed: Listed, db: Path) -> None:
    """A line each, below the runs; none where no runs were started together."""
    found = sweeps(listed, db)
    if found:
        typer.echo("")
    for one in found:
        pieces, cells = one["pieces"], one["cells"]
        name = "" if one["name"] is None else f" {one_line(one['name'])}"
        of = "? evaluations" if cells["total"] is None else counted(cells["total"], "evaluation")
        going = ", going on" if one["running"] else ""
        typer.echo(
            f"sweep {one['sweep']}{name}: {pieces['done']} of {counted(pieces['total'], 'run')} done, "
            f"{cells['done']} of {of}{going}"
        )


def watch(db: Path, show: Callable[[], object]) -> None:
    """Show again whenever something has changed, until nobody works on any run."""
    screen, before = console(), None
    while True:
        digests = Digests.load(db)
        listed = list(digests.runs())
        together = sweeps(listed, db)  # which go on for as long as somebody carries them out, without a run at work
        runs = [
            (run.run_id, str(one), "") if not isinstance(one, Digest) else (run.run_id, one.standing(run), one)
            for run, one in listed
        ]
        if (now := (runs, together)) != before:
            if screen.is_terminal:
                screen.clear()
            show()
            before = now
        if not any(state == RunState.RUNNING for _, state, _ in runs) and not any(one["running"] for one in together):
            return
        time.sleep(_LOOK_SECONDS)
