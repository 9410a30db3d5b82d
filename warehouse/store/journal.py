"""A run's own record: one event a line (`records.events`), only ever appended.

A last line without its newline was cut off by a crash: readers leave it for later, the next writer removes it.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path

from warehouse.errors import UserError
from warehouse.records.events import (
    Attempt,
    Data,
    Event,
    Finished,
    Planned,
    Renamed,
    Stopped,
    is_checked,
    parse_line,
    write_line,
)
from warehouse.records.facts import CellFacts, FailureFacts, ModelFacts, TaskFacts, VariantFacts

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what a system says where there is no room
_RENAMED = b'"kind":"renamed"'  # within a text its quotes would be escaped
# Losing one of these to a power cut loses work, so they reach the disk before the run goes on.
_DURABLE = (
    Planned, Renamed, Attempt, ModelFacts, VariantFacts, TaskFacts, CellFacts, FailureFacts, Stopped, Finished,
)  # fmt: skip


class JournalError(UserError):
    """A line before the last that is not as it was written; it begins at byte `offset`, `line` counts from 1."""

    def __init__(self, path: Path, offset: int, why: str) -> None:
        with path.open("rb") as file:
            self.line = file.read(offset).count(b"\n") + 1
        self.path, self.offset = path, offset
        super().__init__(
            f"{path} is damaged at byte {offset}, line {self.line} ({why}): cut the file there to keep what stands "
            "before it, then resume the run."
        )


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

    def append(self, data: Data) -> int:
        """Write one event down and return its `seq`.

        Raises:
            JournalFullError: the disk is full; the event is not in the journal, the next one can be tried.
            OSError: the disk refuses for another reason.
            ValueError: the event says what cannot be.
        """
        line = write_line(Event(self._next, round(time.time(), 3), data))
        self._cut()
        try:
            written = 0
            while written < len(line):
                written += os.write(self._fd, line[written:])
            if isinstance(data, _DURABLE):
                os.fsync(self._fd)
        except OSError as error:
            with suppress(OSError):  # else before the next event
                self._cut()
            if error.errno in FULL:
                raise JournalFullError(
                    f"There is no room for {self.path} to grow ({error.strerror}): free some space, then go on. What "
                    "was recorded so far is kept."
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


def read(path: Path, offset: int = 0, *, after: int = -1) -> tuple[list[Event], int]:
    """All complete events from byte `offset` on, before which event `after` stands, and the offset to continue from.

    Raises:
        JournalError: a complete line is not the next event, or says what cannot be.
    """
    events = list(_events(path, offset, after))
    return [event for event, _ in events], events[-1][1] if events else offset


def take_over(path: Path, lines: bytes, *, after: int) -> int:
    """Append whole lines that were written elsewhere, after event `after`, the last one here, and return the last one's
    `seq`. The caller holds the run's lock.

    Raises:
        ValueError: a line is damaged, or not the next event; none is taken.
        OSError: the disk is full, or the folder cannot be written.
    """
    for line in lines.split(b"\n")[:-1]:
        event = parse_line(line + b"\n")
        if event.seq != after + 1:
            raise ValueError(f"event {event.seq} came where {after + 1} should")
        after = event.seq
    with path.open("ab") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
    return after


def last_name(path: Path) -> str | None:
    """What a run was last renamed to, if ever: looked for from the end, without reading the rest.

    Raises:
        JournalError: the line that says so is damaged.
    """
    try:
        if not path.stat().st_size:
            return None
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            at = content.rfind(_RENAMED, 0, content.rfind(b"\n") + 1)
            if at < 0:
                return None
            start = content.rfind(b"\n", 0, at) + 1
            line = content[start : content.find(b"\n", at) + 1]
    except FileNotFoundError:
        return None
    try:
        event = parse_line(line)
    except ValueError as error:
        raise JournalError(path, start, str(error)) from error
    return event.data.name if isinstance(event.data, Renamed) else None


def _events(path: Path, offset: int, after: int) -> Iterator[tuple[Event, int]]:
    checked = False
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                event = parse_line(line)
            except ValueError as error:
                raise JournalError(path, offset, str(error)) from error
            if event.seq != after + 1:
                raise JournalError(path, offset, f"event {event.seq} stands where {after + 1} should")
            if checked and not is_checked(line):
                raise JournalError(path, offset, "it has no checksum, which the line before it has")
            after, checked = event.seq, is_checked(line)
            offset += len(line)
            yield event, offset
