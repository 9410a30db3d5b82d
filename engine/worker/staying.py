"""A worker process that works on another run when it has done one: who starts it says through a pipe which.

Only a run that came to its end with nothing failed is followed by another one, and only when all that it held is given
back; else the process ends, and the next run has one of its own.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.runs.keeping import DONE
from engine.runs.launch import FINISHED, REFUSED
from engine.runs.rundir import RunDir
from engine.worker.kept import Kept
from engine.worker.log import log_to
from engine.worker.stopping import StopFlag, heeding_file_and_parent
from engine.worker.work import say, work

_LEFT = 2**28  # bytes of a device's memory that what stays, such as a library's workspace, may take


def worked(run: RunDir, *, carried: bool, kept: Kept | None = None) -> int:
    """Work on a run, and return the exit code."""
    try:
        with heeding_file_and_parent(run, heeds=carried):
            return work(run, carried=carried, kept=kept)
    except UserError as error:
        say(str(error))
        return REFUSED


def stay(run: RunDir, *, carried: bool) -> int:
    """Work on a run and on those that are handed in afterwards, until there are no more; returns the last one's code.

    Raises:
        OSError: the next one's log cannot be written.
    """
    asked, answers = _own_pipes()
    kept = Kept(stays=True)
    try:
        while True:
            kept.stop = StopFlag()
            code = worked(run, carried=carried, kept=kept)
            kept.runs += 1
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a stop that comes late ends what has nothing to stop
            if code != FINISHED or kept.stop.reason is not None or not given_back():
                return code
            try:
                os.write(answers, DONE + b"\n")
                line = asked.readline()
            except OSError:  # whoever started it is gone
                return code
            if not line.endswith(b"\n"):
                return code
            signal.signal(signal.SIGINT, signal.default_int_handler)
            run = RunDir(Path(json.loads(line)))
            log_to(run.log_path)
    finally:
        if kept.tasks is not None:
            kept.tasks.end()


def given_back() -> bool:
    """Let go of what a run held, and say whether all of it is gone: no model is left, nor its memory on a device."""
    if "torch" not in sys.modules:
        return True
    import torch
    from transformers import PreTrainedModel

    if "torch._dynamo" in sys.modules:
        torch.compiler.reset()  # compiled for shapes that the next run may meet in another order
    gc.unfreeze()
    gc.collect()
    if any(issubclass(type(one), PreTrainedModel) for one in gc.get_objects()):
        return False
    if not torch.cuda.is_initialized():
        return True
    with suppress(AttributeError):  # torch's own name for it, which may change: what is left is counted below
        torch._C._cuda_clearCublasWorkspaces()  # pyright: ignore[reportAttributeAccessIssue]
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_reserved() <= _LEFT


def _own_pipes() -> tuple[Any, int]:
    """Standard input and output, which nothing else reads or prints to from now on."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.dup(1)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return asked, answers
