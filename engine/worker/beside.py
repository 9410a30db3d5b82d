"""Work in threads beside the worker's own: waited for without missing a stop, and never long in its way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Generic, TypeVar

from engine.worker.stopping import StopFlag

T = TypeVar("T")
_POLL_SECONDS = 0.1
# Threads that lay requests out or take them in give way after this many seconds to the one that launches the device's
# work, which asks at every operation; Python's own 5 ms would leave the device idle.
_TURN_SECONDS = 2e-4


@contextmanager
def brief_turns() -> Iterator[None]:
    """Let no thread of this process keep the others waiting for long, until the block ends."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Beside(Generic[T]):
    """What a function returns or raises, found out in a thread that begins at once.

    `stop` is asked while the result is waited for; the function asks it as well where it can. As a block: the thread
    has ended when the block has.
    """

    def __init__(self, name: str, function: Callable[[], T], stop: StopFlag) -> None:
        self._function = function
        self._stop = stop
        self._result: T
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name=name)
        self._thread.start()

    def __enter__(self) -> Beside[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def result(self) -> T:
        """Raises:
        StopRequested: a stop was asked for meanwhile.
        BaseException: what the function raised.
        """
        while self._thread.is_alive():
            self._thread.join(_POLL_SECONDS)
            self._stop.check()
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:  # for whoever asks for the result
            self._error = error
