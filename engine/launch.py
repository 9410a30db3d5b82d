"""Starting and stopping the process that works on a run."""

from __future__ import annotations

import os
import signal
import subprocess

from engine import started
from engine.errors import RunBusyError, UserError
from engine.rundir import RunDir
from engine.started import Start
from warehouse.processes import module_command
from warehouse.records.events import Refused
from warehouse.records.run_state import RunHistory

# How a worker ends.
FINISHED = 0
FAILED = 1  # finished with failed cells, or met a defect
REFUSED = 2  # the plan cannot be carried out as it stands; the journal's last event says why
STOPPED = 130

_ENVIRONMENT = {
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONFAULTHANDLER": "1",
    # Threads that spin while they wait make a small model four times slower on a machine that has other work
    # (demo at two levels, two busy cores: 83 s, and 20 s with this), and gain nothing on an idle one.
    "OMP_WAIT_POLICY": "passive",
}


def start(run: RunDir) -> subprocess.Popen[bytes]:
    """Start the worker of a run in a session of its own, so that it survives the terminal that started it.

    Raises:
        RunBusyError: a worker has the run already.
        JournalError: the journal is damaged before its last line.
        OSError: the folder cannot be written.
    """
    turns, who = run.turns(), run.holder()
    if who is None and (start := run.unanswered(turns)) is not None and start.is_alive():
        who = f"process {start.pid}"
    if who is not None:
        raise RunBusyError(f"Run {run.run_id} is being worked on by {who} already: `prune-tui stop` ends that.")
    environment = _ENVIRONMENT | os.environ
    with run.log_path.open("ab") as log:
        log_size = log.tell()
        worker = subprocess.Popen(
            module_command("engine.worker", str(run.path.resolve())),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    started.write(run.path, Start.of(worker.pid, turns=turns, log_size=log_size))
    return worker


def stop(run: RunDir) -> None:
    """Ask the worker of a run to stop; it does within a batch and journals `stopped`.

    Raises:
        UserError: no worker has the run, or it works on another machine.
    """
    who = run.holder()
    if who is None:
        start = run.unanswered(run.turns())
        if start is None or not start.is_alive():
            raise UserError(f"Run {run.run_id} is not running: it is {run.state()}.")
        os.kill(start.pid, signal.SIGINT)  # it has not come to take the lock yet
        return
    if not who.is_local:
        raise UserError(f"Run {run.run_id} works on {who.host}: stop it there.")
    os.kill(who.pid, signal.SIGINT)


def refusal(run: RunDir, history: RunHistory) -> str:
    """Why a plan could not be carried out, in a sentence."""
    if isinstance(history.end, Refused):
        return history.end.error
    return " ".join(log_tail(run, 1)) or "The worker refused the plan without saying why."


def log_tail(run: RunDir, lines: int = 20) -> list[str]:
    """The last lines that the worker printed, for when it died without a word in the journal."""
    try:
        return run.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
