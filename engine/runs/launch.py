"""Starting the process that works on a run; `stopping` ends it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping

from engine.errors import RunBusyError
from engine.planning import model_stack
from engine.runs import launch_record
from engine.runs.launch_record import Start
from engine.runs.rundir import RunDir
from warehouse.commands import hint
from warehouse.processes import module_command
from warehouse.records.events import Refused
from warehouse.records.run_state import RunHistory

# How a worker ends.
FINISHED = 0
FAILED = 1  # finished with failed cells, or met a defect
REFUSED = 2  # the plan cannot be carried out as it stands; the journal's last event says why
LOST = 4  # nobody will know: the place that it was on is gone
STOPPED = 130
INTERRUPTED = -signal.SIGINT  # stopped while it was still importing, by the signal itself

CARRIED = "--carried"
STAYS = "--stays"
_FULL = 2**16  # bytes: not enough to go on with

_ENVIRONMENT = {
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONFAULTHANDLER": "1",
    # Threads that spin while they wait make a small model four times slower on a machine that has other work
    # (demo at two levels, two busy cores: 83 s, and 20 s with this), and gain nothing on an idle one.
    "OMP_WAIT_POLICY": "passive",
}


def start(
    run: RunDir, more: Mapping[str, str] | None = None, *, carried: bool = False, stays: bool = False
) -> subprocess.Popen[bytes]:
    """Start the worker of a run in a session of its own, so that it survives the terminal that started it.

    `more` is added to its environment. Of one that is `carried` somebody else brings the results home: it leaves the
    database alone, stops when this process ends, and heeds `RunDir.stop_path`. One that `stays` is spoken to by its
    standard input and output (`engine.runs.keeping`).

    Raises:
        RunBusyError: a worker has the run already.
        UserError: what measures is not installed.
        JournalError: the journal is damaged before its last line.
        OSError: the folder cannot be written.
    """
    turns = turns_if_free(run)
    with run.log_path.open("ab") as log:
        log_size = log.tell()
        worker = subprocess.Popen(
            module_command("engine.worker", str(run.path.absolute()), *_options(carried=carried, stays=stays)),
            stdin=subprocess.PIPE if stays else subprocess.DEVNULL,
            stdout=subprocess.PIPE if stays else log,
            stderr=log,
            env=_ENVIRONMENT | os.environ | dict(more or {}),
            start_new_session=True,
        )
    write_down(run, worker, turns=turns, log_size=log_size)
    return worker


def turns_if_free(run: RunDir) -> int:
    """How many turns the run's journal tells of, once it is known that nobody works on it; errors as `start`."""
    model_stack.require()
    turns, who = run.turns(), run.holder()
    if who is None and (start := run.unanswered(turns)) is not None and start.is_alive():
        who = f"process {start.pid}"
    if who is not None:
        ends = hint("stop", run.run_id, db=run.database)
        raise RunBusyError(f"Run {run.run_id} is being worked on by {who} already: `{ends}` ends that.")
    return turns


def _options(*, carried: bool, stays: bool) -> list[str]:
    return [option for option, is_so in ((CARRIED, carried), (STAYS, stays)) if is_so]


def write_down(run: RunDir, worker: subprocess.Popen[bytes], *, turns: int, log_size: int) -> None:
    """Write down that a process was asked to work on a run; one that cannot be told of is ended.

    Raises:
        OSError: the folder cannot be written.
    """
    try:
        launch_record.write(run.path, Start.of(worker.pid, turns=turns, log_size=log_size))
    except OSError:  # nobody could tell that it works
        worker.kill()
        worker.wait()
        raise


def refusal(run: RunDir, history: RunHistory) -> str:
    """Why a plan could not be carried out, in a sentence."""
    if isinstance(history.end, Refused):
        return history.end.error
    if disk_is_full(run):
        return "The disk is full: free some space, then try again."
    return " ".join(log_tail(run, 1)) or "The worker refused the plan without saying why."


def remove_refused(run: RunDir, history: RunHistory, *, turns_before: int) -> bool:
    """Take the folder of a refused run away, unless it has been at work before: nothing was done, and nothing can be as
    it stands. For whoever started it, and has told a person why it was refused.

    `turns_before` are those of the history before that start. Returns whether the folder is gone.
    """
    if turns_before or history.settled or run.holder() is not None:
        return False
    shutil.rmtree(run.path)
    return True


def disk_is_full(run: RunDir) -> bool:
    return shutil.disk_usage(run.path).free < _FULL


def log_tail(run: RunDir, lines: int = 20) -> list[str]:
    """The last lines that the worker printed, for when it died without a word in the journal."""
    try:
        return run.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
