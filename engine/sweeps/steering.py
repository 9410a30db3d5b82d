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
from engine.runs import device, stopping
from engine.runs.create import check_database, create_all
from engine.runs.rundir import RunDir
from engine.sweeps import driving, groups
from engine.sweeps.cards import Card, host_cards, numbers_of
from warehouse.records.run_state import RunState

_PATIENCE = 120.0  # seconds for which it may look at plans and models before it begins
_POLL_SECONDS = 0.05


def begin(plans: Sequence[RunPlan], cards: Sequence[Card], database: Path) -> str:
    """Write a sweep's runs down and have them carried out, on these cards side by side or one after another; returns
    its id.

    Raises:
        UserError: it was refused, and is not there any more; or the database is not ours.
        OSError: the folder cannot be written.
    """
    check_database(database)
    runs = create_all(plans, database)
    sweep = runs[0].plan.sweep
    assert sweep is not None
    try:
        carry_on(sweep, database, numbers_of(cards))
    except UserError:
        if all(run.turns() == 0 for run in runs):
            for run in runs:
                run.remove()
        raise
    return sweep


def carry_on(sweep: str, database: Path, numbers: Sequence[int] = ()) -> None:
    """Have what is missing of a sweep done, on the GPUs of these numbers side by side, or one run after another.

    Returns once the process that does it has taken the sweep up.

    Raises:
        UserError: it ended before that; says why.
        OSError: its log cannot be written.
    """
    words = ["resume", sweep, "--db", str(database.absolute()), "--quiet", "--plain"]
    if numbers:
        words += ["--gpus", ",".join(map(str, numbers))]
    path = driving.log_path(database, sweep)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "prune_tui", *words],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        who = driving.carried_out_by(database, sweep)
        if who is not None and who.pid == process.pid:
            return
        if ended:
            if all(run.state() == RunState.FINISHED for run in groups.members(database, sweep)):
                return
            raise UserError(_last_words(path) or f"The process that was to carry out sweep {sweep} ended: see {path}.")
        time.sleep(_POLL_SECONDS)
    raise UserError(f"Sweep {sweep} was not taken up within {_PATIENCE:g} seconds: {path} says what goes on.")


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


def cards_used(runs: Sequence[RunDir]) -> list[int]:
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
