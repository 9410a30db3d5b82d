"""A worker process that is kept from one run to the next of a sweep, where both are of the same model.

What it imported, its device's context and its tasks stay; the weights are read again, so that a run computes what it
would in a process of its own. A process is kept only after a run that came to its end with nothing failed: whatever
else befell one takes nothing along to the next.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from engine.errors import UserError
from engine.planning.methods import find_method
from engine.planning.plan import TRANSFORMERS, RunPlan
from engine.runs import launch
from engine.runs.rundir import RunDir

DONE = b"done"
"""What a process that stays says once a run has come to its end and all that it held is given back."""
_ENDS_WITHIN = 10.0  # seconds that an idle one takes to end

# What may be another in the next run; its tasks are kept where they are the same.
FREE = frozenset({
    "name", "levels", "tasks", "suite", "method", "repair", "calibration", "calibration_tokens", "calibration_length",
    "damage", "sweep", "sweep_name",
})  # fmt: skip


class Process(Protocol):
    """What works on one run, as `subprocess.Popen` has it; one that is kept works on another run afterwards."""

    returncode: int | None

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """How the run ended, in the words of `launch`; None: not yet."""
        ...

    def send_signal(self, sig: int) -> None: ...


@dataclass(slots=True, eq=False)
class Turn:
    """A run's time in a process that stays."""

    _process: _Staying
    returncode: int | None = None

    @property
    def pid(self) -> int:
        return self._process.popen.pid

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._process.looked()
        return self.returncode

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            self._process.popen.send_signal(sig)


class _Staying:
    """A process that was started to stay, and whether it is free."""

    def __init__(self, popen: subprocess.Popen[bytes], key: tuple[Any, ...]) -> None:
        assert popen.stdin is not None
        assert popen.stdout is not None
        self.popen, self.key = popen, key
        self._asks, self._says = popen.stdin, popen.stdout
        self._said = b""
        os.set_blocking(self._says.fileno(), False)

    def looked(self) -> int | None:
        """How the run that it works on ended."""
        code = self.popen.poll()  # first: what it said is there when it has ended
        if not self._says.closed:
            with suppress(BlockingIOError):
                while part := os.read(self._says.fileno(), 4096):
                    self._said += part
        if DONE + b"\n" in self._said:
            return launch.FINISHED
        return code

    @property
    def is_free(self) -> bool:
        return self.looked() == launch.FINISHED and self.popen.poll() is None

    def hand_over(self, run: RunDir) -> None:
        """Raises:
        OSError: it is gone.
        """
        self._said = b""
        self._asks.write(json.dumps(str(run.path.absolute())).encode() + b"\n")
        self._asks.flush()

    def let_go(self) -> None:
        """It ends, once it has done what it is at."""
        with suppress(OSError):
            self._asks.close()
        if self.is_free:
            try:
                self.popen.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:  # suspended, as it seems; nothing of a run is lost
                self.popen.kill()
                self.popen.wait()
        if self.popen.poll() is not None:
            self.looked()
            self._says.close()


class Keeper:
    """Starts workers one after another, in the process of the one before where that will do."""

    def __init__(self) -> None:
        self._process: _Staying | None = None

    def start(self, run: RunDir, more: Mapping[str, str] | None = None, *, carried: bool = False) -> Process:
        """As `launch.start`, which see. What was started before has ended."""
        key = _key(run, more, carried=carried)
        if key is None:
            self.let_go()
            return launch.start(run, more, carried=carried)
        if self._process is not None and self._process.key == key and self._process.is_free:
            process, turns = self._process, launch.turns_if_free(run)
            log_size = run.log_path.stat().st_size if run.log_path.exists() else 0
            launch.write_down(run, process.popen, turns=turns, log_size=log_size)
            with suppress(OSError):  # it has just ended; whoever looks after the run finds it so
                process.hand_over(run)
        else:
            self.let_go()
            process = self._process = _Staying(launch.start(run, more, carried=carried, stays=True), key)
        return Turn(process)

    def let_go(self) -> None:
        """End the process that is kept; one that is at work ends when it has done that."""
        if self._process is not None:
            self._process.let_go()
        self._process = None


def _key(run: RunDir, more: Mapping[str, str] | None, *, carried: bool) -> tuple[Any, ...] | None:
    """What runs have in common that one process may work on; None: it is to have a process of its own."""
    try:
        plan = run.plan
        if not _may_stay(plan):
            return None
    except UserError:  # the worker says so
        return None
    told = {name: value for name, value in plan.to_dict().items() if name not in FREE}
    return json.dumps(told, sort_keys=True), tuple(sorted((more or {}).items())), carried


def _may_stay(plan: RunPlan) -> bool:
    """A profile measures what a process takes from its beginning; what others' code leaves behind nobody knows."""
    return (
        plan.profile is None
        and plan.engine == TRANSFORMERS
        and plan.cards == 1
        and not plan.trust_remote_code
        and find_method(plan.method).package is None
    )
