"""Processes for queries: one each, and one that has begun before there is a query, so that nobody waits for its start."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress

from warehouse.processes import module_command


def begin() -> subprocess.Popen[bytes]:
    """Start a process that answers the one request it is given; `warehouse.console.process` is what runs in it."""
    return subprocess.Popen(
        module_command("warehouse.console.process"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill it if it still runs, with whatever it started, and wait for that."""
    with suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Waiting:
    """A process that has loaded all it needs and waits for its one request. It ends with whoever started it."""

    def __init__(self) -> None:
        self._ready: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Have one ready, if there is none.

        Raises:
            OSError: none can be started.
        """
        with self._lock:
            if not self._closed and (self._ready is None or self._ready.poll() is not None):
                self._ready = begin()

    def take(self) -> subprocess.Popen[bytes]:
        """The one that waits, for one request; a new one where none does.

        Raises:
            OSError: none can be started.
        """
        with self._lock:
            ready, self._ready = self._ready, None
        if ready is not None and ready.poll() is None:
            return ready
        return begin()

    def close(self) -> None:
        with self._lock:
            ready, self._ready, self._closed = self._ready, None, True
        if ready is not None:
            for pipe in (ready.stdin, ready.stdout):
                if pipe is not None:
                    pipe.close()
            end(ready)
