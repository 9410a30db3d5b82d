"""Being asked to stop: a signal sets a flag, and the work notices it between two batches."""

from __future__ import annotations

import signal
from types import FrameType


class StopRequested(BaseException):
    """Raised between two batches once a stop was asked for; not an `Exception`, so no task's failure."""


class StopFlag:
    """Turns SIGINT and SIGTERM into a question the work asks when it is ready to stop."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def listen(self) -> None:
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.reason = signal.Signals(number).name

    def check(self) -> None:
        """Raises:
        StopRequested: a stop was asked for.
        """
        if self.reason is not None:
            raise StopRequested(self.reason)
