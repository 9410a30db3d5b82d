"""A program in a pseudo-terminal, timed by what it draws: what a person at a terminal would wait for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from types import TracebackType
from typing import Self


class Terminal:
    """Runs `command` on a terminal of `size` columns × rows. `started` is the moment before the process was made."""

    def __init__(self, command: list[str], *, size: tuple[int, int]) -> None:
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            _resize(0, size)
            os.execvpe(command[0], command, os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"})
        self._drawn = b""

    def press(self, keys: str) -> float:
        """Send keys, forgetting what was drawn before; returns the moment."""
        self._read(0.0)
        self._drawn = b""
        pressed = time.perf_counter()
        os.write(self._fd, keys.encode())
        return pressed

    def wait(self, text: str, *, seconds: float = 60.0) -> float:
        """The moment `text`, in one style, was drawn since the last keys.

        Raises:
            TimeoutError: it was not.
        """
        deadline = time.perf_counter() + seconds
        while text.encode() not in self._drawn:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{text!r} was not drawn within {seconds:g} s")
            self._read(0.05)
        return time.perf_counter()

    def rest(self, seconds: float) -> None:
        """Let time pass, as a person does between keys."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self._read(left)

    def _read(self, seconds: float) -> None:
        while select.select([self._fd], [], [], seconds)[0]:
            self._drawn += os.read(self._fd, 1 << 16)
            seconds = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


def _resize(fd: int, size: tuple[int, int]) -> None:
    columns, rows = size
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
