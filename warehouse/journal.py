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

import json
import os
import time
from collections.abc import Iterator
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


class Journal:
    """The one writer of a journal file. The caller holds the run's lock.

    Raises:
        JournalError: the file is damaged before its last line.
        OSError: the disk is full or the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._next = 0
        end = 0
        if path.exists():
            events, end = read(path)
            self._next = events[-1].seq + 1 if events else 0
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if os.fstat(self._fd).st_size > end:
            os.ftruncate(self._fd, end)

    def append(self, kind: str, data: Any = None, /, **fields: Any) -> int:
        """Write one event, from a facts dataclass, keywords or both, and return its `seq`."""
        record = {"seq": self._next, "t": round(time.time(), 3), "kind": kind}
        if data is not None:
            record |= asdict(data)
        record |= fields
        line = (json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
        start = os.fstat(self._fd).st_size
        written = 0
        try:
            while written < len(line):
                written += os.write(self._fd, line[written:])
            if kind in DURABLE:
                os.fsync(self._fd)
        except OSError:
            os.ftruncate(self._fd, start)
            raise
        self._next += 1
        return self._next - 1

    def close(self) -> None:
        os.close(self._fd)


def read(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """All complete events from byte `offset` on, and the offset to continue from.

    Raises:
        JournalError: a complete line is not an event.
    """
    found = list(_events(path, offset))
    return [event for event, _ in found], found[-1][1] if found else offset


def _events(path: Path, offset: int) -> Iterator[tuple[Event, int]]:
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line)
                event = Event(record.pop("seq"), record.pop("t"), record.pop("kind"), record)
            except (ValueError, KeyError, AttributeError) as error:
                raise JournalError(
                    f"{path} is damaged at byte {offset}: cut the file there to keep what stands before it, "
                    "then resume the run."
                ) from error
            offset += len(line)
            yield event, offset
