"""Ending the work on a run: its worker is asked, and killed only by whoever says so.

A worker heeds the question between two batches. One that is suspended or loops never does.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

import psutil

from engine.errors import UserError
from engine.runs import launch_record
from engine.runs.rundir import RunDir

PATIENCE = 60.0  # seconds for which a worker that was asked may go on with its batch
KILL = "kill"  # within the file that asks
_DYING = 5.0  # seconds that a killed process takes at most, unless a device holds it


@dataclass(frozen=True, slots=True)
class Worker:
    """The process that works on a run, on this machine; `created` tells it from a later one with its number."""

    run_id: str
    pid: int
    created: float

    def is_alive(self) -> bool:
        return self._status() is not None

    def has_ended(self, *, within: float) -> bool:
        """Wait for its end, at most so many seconds, and say whether it came."""
        deadline = time.monotonic() + within
        while self.is_alive():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        return True

    def why(self) -> str:
        """Why it may not have ended yet, and what helps."""
        match self._status():
            case psutil.STATUS_STOPPED | psutil.STATUS_TRACING_STOP:
                return f"its process {self.pid} is suspended (`kill -CONT {self.pid}` lets it go on, and stop)"
            case psutil.STATUS_DISK_SLEEP:
                return f"its process {self.pid} waits for a disk or a device"
            case _:
                return f"its process {self.pid} is still at a batch, or heeds no signal"

    def kill(self) -> None:
        """End it at once, with the processes that it started. What is in the run's journal stays.

        Raises:
            UserError: even that did not end it.
        """
        if not self.is_alive():
            return
        # A worker leads a session of its own; a fake one of a test might not.
        if os.getpgid(self.pid) == self.pid:
            os.killpg(self.pid, signal.SIGKILL)
        else:
            os.kill(self.pid, signal.SIGKILL)
        if not self.has_ended(within=_DYING):
            raise UserError(
                f"Process {self.pid} of run {self.run_id} was killed and is still there, since the system waits for "
                "a disk or a device: see to that, then look at the run again."
            )

    def _status(self) -> str | None:
        """What the process does; None once it has ended."""
        try:
            process = psutil.Process(self.pid)
            status = process.status()
            return None if process.create_time() != self.created or status == psutil.STATUS_ZOMBIE else status
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True, slots=True)
class WorkerElsewhere(Worker):
    """One that heeds a file in the run's folder; `pid` is of whoever has the run here."""

    run: RunDir

    def why(self) -> str:
        return "it is still at a batch, or its node does not answer"

    def kill(self) -> None:
        if not self.is_alive():
            return
        self.run.stop_path.write_text(KILL)
        if not self.has_ended(within=PATIENCE):
            raise UserError(f"Run {self.run_id} is on a node that does not answer: look at the cluster.")

    def _status(self) -> str | None:
        return None if self.run.holder() is None else psutil.STATUS_RUNNING


def ask(run: RunDir) -> Worker:
    """Ask the worker of a run to stop; it does within a batch and journals `stopped`.

    Raises:
        UserError: no worker has the run, or it works on another machine.
    """
    who = run.holder()
    if who is not None and who.by_file:
        run.stop_path.touch()
        return WorkerElsewhere(run.run_id, who.pid, 0.0, run)
    if who is not None and not who.is_local:
        raise UserError(f"Run {run.run_id} works on {who.host}: stop it there.")
    pid = who.pid if who is not None else _starting(run)
    try:
        worker = Worker(run.run_id, pid, psutil.Process(pid).create_time())
        os.kill(pid, signal.SIGINT)
    except (psutil.NoSuchProcess, ProcessLookupError):
        raise UserError(f"Run {run.run_id} is not running: it is {run.state()}.") from None
    return worker


def _starting(run: RunDir) -> int:
    """A worker that has not come to take the lock yet."""
    start = launch_record.read(run.path)
    if start is None or not start.is_alive() or run.unanswered(run.turns()) is None:
        raise UserError(f"Run {run.run_id} is not running: it is {run.state()}.")
    return start.pid
