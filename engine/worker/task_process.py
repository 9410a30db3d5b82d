"""Process `engine.worker.task_process`: loads a run's tasks, writes their requests and judges the answers.

Started by a worker, whose own process has the device to itself: Python's threads take turns, and whatever computes
beside the thread that launches the device's work makes that one wait at every operation. It talks with the worker
through its standard input and output, imports no torch of its own, and ends with the worker, however that ends. For a
worker that stays, it stays as well, with the tasks that it has.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine.planning import task_index
from engine.runs.rundir import RunDir
from engine.worker.draws import share_out_draws
from engine.worker.importing import imported
from engine.worker.log import log_to
from engine.worker.wire import Begin, Rests, Wire
from warehouse.redaction import RedactingStream


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # the worker is told, and ends this process when it has all it wants
        signal.signal(number, signal.SIG_IGN)
    # lm-eval draws progress bars that nobody sees here, and would fork.
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["DISABLE_MULTIPROC"] = "1"
    wire = _wire()
    sys.stderr = RedactingStream(sys.stderr)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(wire, inbox), daemon=True, name="worker").start()
    share_out_draws()
    made: Any = None
    while True:
        begin: Begin = inbox.get()
        run = RunDir(Path(begin.folder))
        task_index.read_ahead(run.plan.tasks, run.plan.include_paths)
        if begin.stays:
            log_to(run.log_path)
        made = imported("engine.worker.task_work").serve(run, begin, wire, inbox, made)
        sys.stderr.flush()
        if made is None:
            os._exit(0)  # what is still being built is not wanted any more
        wire.send(Rests())


def _wire() -> Wire:
    """Standard input and output, which nothing else reads or prints to from now on."""
    incoming, outgoing = os.dup(0), os.dup(1)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Wire(Connection(incoming, writable=False), Connection(outgoing, readable=False))


def _listen(wire: Wire, inbox: queue.SimpleQueue[Any]) -> None:
    """Take messages in while others are worked on; nobody is left to work for once there are no more."""
    while True:
        try:
            inbox.put(wire.receive())
        except (EOFError, OSError):
            os._exit(1)


if __name__ == "__main__":
    main()
