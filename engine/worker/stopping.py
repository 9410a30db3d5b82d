"""Being asked to stop: a signal sets a flag, and the work notices it between two batches."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from engine.runs.rundir import RunDir

_LOOKS_EVERY = 0.5  # seconds


class StopRequested(BaseException):
    """Raised between two batches once a stop was asked for; not an `Exception`, so no task's failure."""


class StopFlag:
    """Turns SIGINT and SIGTERM into a question the work asks when it is ready to stop."""

    def __init__(self) -> None:
        self.reason: str | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals as long as the block lasts. Only a process's main thread is given any."""
        mine = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
        before = {number: signal.signal(number, self._on_signal) for number in mine}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.reason = signal.Signals(number).name

    def check(self) -> None:
        """Raises:
        StopRequested: a stop was asked for.
        """
        if self.reason is not None:
            raise StopRequested(self.reason)


@contextmanager
def heeding_file_and_parent(run: RunDir, *, heeds: bool = True) -> Iterator[None]:
    """`heed_file_and_parent` for as long as the block lasts, if it `heeds` them."""
    if not heeds:
        yield
        return
    ended = heed_file_and_parent(run)
    try:
        yield
    finally:
        ended.set()


def heed_file_and_parent(run: RunDir) -> threading.Event:
    """Turn a file in the run's folder, and the end of the process that started this one, into the signal: nobody else
    would bring home what is done after that. Until the event that is returned is set.

    The signal may be blocked: a process has that from the thread that started it, and Ray's threads block it.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    parent = os.getppid()

    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_LOOKS_EVERY):
            if os.getppid() != parent or run.stop_path.exists():
                os.kill(os.getpid(), signal.SIGINT)
                return

    threading.Thread(target=look, name="stop file", daemon=True).start()
    return ended
