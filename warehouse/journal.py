"""A run's own record: one JSON object a line, only ever appended.

    {"seq": 7, "t": 1764000000.123, "kind": "cell", "level": "40", "task": "piqa", ...}

`seq` counts up from 0 without gaps and, with the run's id, names an event for good; `t` is Unix time in
seconds. The kinds, and what each carries beside `seq`, `t` and `kind`:

| kind | fields |
|---|---|
| plan | `plan`, the `dtype` it resolved to, and its `conditions` (what must be equal for scores to be compared) |
| attempt | a process takes the run up: `attempt` (1, 2, …), `pid`, `host`, `provenance` |
| model | `ModelFacts` |
| variant | `VariantFacts`, once a level |
| task | `TaskFacts`, once a task |
| stage | wall time of something that is not a cell: `stage`, `level` or null, `seconds` |
| cell_started | `level`, `task` |
| progress | `level`, `task`, `done`, `total` (requests), `tokens` (so far) |
| cell | `CellFacts` |
| cell_failed | `FailureFacts` |
| gpu | a sample of the GPU: `samples`, a list of plain objects |
| log | `level_name`, `message` |
| stopped | asked to stop: `reason` |
| finished | nothing is missing: `failed` (number of cells that ended in an error) |
| refused | the plan cannot be carried out as it stands: `error` |
| crashed | the worker met a defect: `error`, `detail` (traceback) |

NaN and infinities are written as Python's json does (`NaN`, `Infinity`). A last line without its newline was
cut off by a crash: readers leave it for later, the next writer removes it.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from warehouse.errors import UserError

# Losing one of these to a power cut loses work, so they reach the disk before the run goes on.
DURABLE = frozenset({"plan", "attempt", "model", "variant", "task", "cell", "cell_failed", "stopped", "finished"})


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a journal. `data` holds the kind's own fields."""

    seq: int
    t: float
    kind: str
    data: dict[str, Any]


class JournalError(UserError):
    """A line that is not ours in the middle of a journal."""


class JournalFullError(UserError):
    """There is no room for another event. What was written before is whole."""


class Journal:
    """The one writer of a journal file. The caller holds the run's lock.

    Raises:
        JournalError: the file is damaged before its last line.
        OSError: the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._next = self._end = 0
        if path.exists():
            events, self._end = read(path)
            self._next = events[-1].seq + 1 if events else 0
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._cut()
        sync(path.parent)

    def append(self, kind: str, data: Any = None, /, **fields: Any) -> int:
        """Write one event, from a facts dataclass, keywords or both, and return its `seq`.

        Raises:
            JournalFullError: the disk is full; the event is not in the journal, the next one can be tried.
            OSError: the disk refuses for another reason.
        """
        record = {"seq": self._next, "t": round(time.time(), 3), "kind": kind}
        if data is not None:
            record |= asdict(data)
        record |= fields
        line = (json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
        self._cut()
        try:
            written = 0
            while written < len(line):
                written += os.write(self._fd, line[written:])
            if kind in DURABLE:
                os.fsync(self._fd)
        except OSError as error:
            with suppress(OSError):  # else before the next event
                self._cut()
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise JournalFullError(
                    f"There is no room for {self.path} to grow ({error.strerror}): free some space, then resume the "
                    "run. What it recorded so far is kept."
                ) from error
            raise
        self._end += len(line)
        self._next += 1
        return self._next - 1

    def _cut(self) -> None:
        """Take away what a crash or a full disk left of an event that was never whole."""
        if os.fstat(self._fd).st_size > self._end:
            os.ftruncate(self._fd, self._end)

    def close(self) -> None:
        os.close(self._fd)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a power cut."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """All complete events from byte `offset` on, and the offset to continue from.

    Raises:
        JournalError: a complete line is not an event.
    """
    found = list(_events(path, offset))
    return [event for event, _ in found], found[-1][1] if found else offset


def parse(line: bytes) -> Event:
    """The event of one line.

    Raises:
        ValueError: it is none.
    """
    try:
        record = json.loads(line)
        return Event(record.pop("seq"), record.pop("t"), record.pop("kind"), record)
    except (KeyError, AttributeError) as error:
        raise ValueError("not an event") from error


def _events(path: Path, offset: int) -> Iterator[tuple[Event, int]]:
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                event = parse(line)
            except ValueError as error:
                raise JournalError(
                    f"{path} is damaged at byte {offset}: cut the file there to keep what stands before it, "
                    "then resume the run."
                ) from error
            offset += len(line)
            yield event, offset
