"""Sweeps carried out by a process of their own, which outlives whoever starts it; and all of one stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.where import Where
from engine.runs import device, stopping
from engine.runs.create import check_database, create_all
from engine.runs.rundir import RunDir
from engine.sweeps import driving, groups
from engine.sweeps.cards import host_cards
from warehouse.records.run_state import RunState

_PATIENCE = 120.0  # seconds for which it may look at plans and models before it begins
_POLL_SECONDS = 0.05


def begin(plans: Sequence[RunPlan], where: Where, database: Path) -> list[RunDir]:
    """Write runs down and have them carried out together.

    Raises:
        UserError: it was refused, and is not there any more; or the database is not ours.
        OSError: the folder cannot be written.
    """
    check_database(database)
    runs = create_all(plans, database)
    try:
        carry_on(runs, database, where)
    except UserError:
        if all(run.turns() == 0 for run in runs):
            for run in runs:
                run.remove()
        raise
    return runs


def carry_on(runs: Sequence[RunDir], database: Path, where: Where) -> None:
    """Have what is missing of a sweep's runs, or of one run on a cluster, done.

    Returns once the process that does it has taken it up.

    Raises:
        UserError: it ended before that; says why.
        OSError: its log cannot be written.
    """
    job = driving.job_of(runs)
    which = job if len(runs) > 1 else runs[0].run_id
    words = ["resume", which, "--db", str(database.absolute()), "--quiet", "--plain", *_said_whole(where)]
    path = driving.log_path(database, job)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "prune_tui", *words],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        who = driving.carried_out_by(database, job)
        if who is not None and who.pid == process.pid:
            return
        if ended:
            if all(run.state() == RunState.FINISHED for run in runs):
                return
            raise UserError(_last_words(path) or f"The process that was to carry out {job} ended: see {path}.")
        time.sleep(_POLL_SECONDS)
    raise UserError(f"{job} was not taken up within {_PATIENCE:g} seconds: {path} says what goes on.")


def stop(sweep: str, database: Path) -> None:
    """Ask whoever carries a sweep out to stop, or where nobody does here, the workers of its runs.

    Raises:
        UserError: nobody works on it, or a worker is on another machine.
    """
    who = driving.carried_out_by(database, sweep)
    if who is not None and who.is_local:
        os.kill(who.pid, signal.SIGINT)  # it asks its workers, and begins no other run
        return
    working = [run for run in groups.members(database, sweep) if run.state() == RunState.RUNNING]
    if not working:
        raise UserError(f"None of the runs of sweep {sweep} is running.")
    for run in working:
        stopping.ask(run)


def _said_whole(where: Where) -> list[str]:
    """Also that it is here, which would else be where it was before."""
    return where.words if where.is_cluster or where.gpus else ["--on", where.on]


def where_of(runs: Sequence[RunDir], database: Path) -> Where:
    """Where these were carried out last: on a cluster, on the cards that are still here, or one after another."""
    if (cluster := driving.cluster_of(database, driving.job_of(runs))) is not None:
        return cluster
    return Where(gpus=",".join(map(str, _cards_used(runs))) or None)


def _cards_used(runs: Sequence[RunDir]) -> list[int]:
    """The GPUs of this host that the latest attempts at runs were made on, as far as these are still here."""
    used: set[int] = set()
    for run in runs:
        with suppress(UserError):
            attempt = run.history()[0].attempt
            if attempt is not None and attempt.host == os.uname().nodename:
                used.update(device.visible_cards(device.device_of(attempt)))
    return sorted(used & {card.number for card in host_cards()}) if used else []


def _last_words(path: Path) -> str:
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("prune-tui: ") if lines else ""
