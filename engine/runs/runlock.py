"""Who works on a run: the lock in its folder, with the holder's name in it.

The lock is the kernel's (flock), so it goes with the process that holds it, whichever way that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from engine.errors import RunBusyError
from warehouse.records.values import Within, read

# A look at the lock holds it, shared, for an instant: a worker waits that long before it gives up.
_PATIENCE = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that works on a run, as it wrote itself down in the lock file.

    `by_file`: it is asked to stop by a file in the run's folder rather than by a signal.
    """

    pid: Annotated[int, Within(1, 2**31 - 1)]
    host: str
    by_file: bool = False

    @property
    def is_local(self) -> bool:
        return self.host == socket.gethostname()

    def __str__(self) -> str:
        return f"process {self.pid}" if self.is_local else f"process {self.pid} on {self.host}"


@contextmanager
def hold(path: Path, *, by_file: bool = False) -> Iterator[None]:
    """Hold the lock for as long as the block lasts.

    Raises:
        RunBusyError: another process has it.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _try(fd, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                who = _read(fd) or "another process"
                raise RunBusyError(f"Run {path.parent.name} is being worked on by {who}: stop that one first, or wait.")
            time.sleep(0.02)
        os.ftruncate(fd, 0)
        who = Holder(os.getpid(), socket.gethostname(), by_file)
        os.pwrite(fd, json.dumps(asdict(who)).encode(), 0)
        yield
    finally:
        os.close(fd)


def holder(path: Path) -> Holder | None:
    """The process that has the lock now, or None.

    Raises:
        RunBusyError: a process has it but has not said who it is.
    """
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _try(fd, fcntl.LOCK_SH):
            if (who := _read(fd)) is not None:
                return who
            if time.monotonic() > deadline:
                raise RunBusyError(f"{path} is locked by a process that has not said who it is.")
            time.sleep(0.01)
        return None
    finally:
        os.close(fd)


def _try(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(fd: int) -> Holder | None:
    try:
        return read(Holder, json.loads(os.pread(fd, 4096, 0)))
    except (ValueError, TypeError):
        return None
