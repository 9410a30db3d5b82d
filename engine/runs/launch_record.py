"""Who was last asked to work on a run: `start.json` in its folder, written by whoever starts a worker.

A worker takes the run's lock and writes its first event a moment after it was started. Should it die before that,
this file is all that tells a run that nobody has started from one whose start came to nothing.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_NAME = "start.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """`created` is when the process began, in Unix seconds, which tells it from a later one with its number.

    `turns` counts the attempts, and the ends of attempts, that the journal had before; `log_size` is how many bytes
    the worker's log had.
    """

    pid: int
    created: float
    host: str
    turns: int
    log_size: int

    @classmethod
    def of(cls, pid: int, *, turns: int, log_size: int) -> Start:
        try:
            created = psutil.Process(pid).create_time()
        except psutil.Error:  # it has ended already
            created = 0.0
        return cls(pid=pid, created=created, host=socket.gethostname(), turns=turns, log_size=log_size)

    def is_alive(self) -> bool:
        """Whether the process still runs; one on another machine is not known to."""
        if self.host != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.pid)
            # A worker that has ended stays a zombie for as long as the dashboard that started it is open.
            return process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


def write(folder: Path, start: Start) -> None:
    """Raises:
    OSError: the folder cannot be written.
    """
    draft = folder / f"start.{os.getpid()}.draft"
    draft.write_text(json.dumps(asdict(start)) + "\n", encoding="utf-8")
    draft.replace(folder / _NAME)


def read(folder: Path) -> Start | None:
    """The latest start, or None: there was none, or the file is damaged, and then as good as none."""
    try:
        return Start(**json.loads((folder / _NAME).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def reason(log: Path, start: Start) -> str | None:
    """The last thing that a worker printed since it was started: most often the error that it died of."""
    try:
        with log.open("rb") as file:
            file.seek(max(start.log_size, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return None
    return next((line.strip() for line in reversed(lines) if line.strip()), None)
