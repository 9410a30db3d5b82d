"""One run, followed by its files: its line in the list, and its record while its events are read one by one."""

from __future__ import annotations

import os
from dataclasses import dataclass

from engine.errors import RunBusyError, UserError
from engine.runs import launch_record
from engine.runs.digests import Digest, Digests, key_of
from engine.runs.rundir import RunDir
from tui.runs.record import RunRecord, RunRow, damaged, row_of
from warehouse.records.run_state import RunState
from warehouse.store import journal

Mark = tuple[tuple[int, int, int] | None, ...]


@dataclass(slots=True)
class Tail:
    """A run's record and how far its journal has been read."""

    run: RunDir
    record: RunRecord
    offset: int = 0

    @classmethod
    def of(cls, run: RunDir) -> Tail:
        return cls(run, RunRecord(run.plan, run_id=run.run_id, created_at=run.created_at, folder=run.path))

    def read_on(self) -> None:
        """Take in what is new.

        Raises:
            JournalError: the journal is damaged.
        """
        try:
            status = self.run.journal_path.stat()
        except FileNotFoundError:
            return
        if status.st_size == self.offset:
            return
        events, self.offset = journal.read(self.run.journal_path, self.offset, after=self.record.history.seq)
        for event in events:
            self.record.feed(event)

    def state(self) -> tuple[str, str | None]:
        """Where the run stands and, where its journal does not tell it, why."""
        # The lock first: a worker writes its last event before it lets go.
        if _is_held(self.run):
            self.read_on()
            return RunState.RUNNING, None
        self.read_on()
        history = self.record.history
        if (start := self.run.unanswered(history.turns)) is not None:
            if start.is_alive():
                return RunState.RUNNING, None
            self.read_on()  # what it wrote before it ended, after we looked
        if start is None or history.turns > start.turns:
            return history.state, None
        last = launch_record.reason(self.run.log_path, start)
        return RunState.INTERRUPTED, f"Its worker ended before it began{f': {last}' if last else ', without a word'}"


@dataclass(slots=True)
class FollowedRun:
    """What is known of a run, and what its files were when that was found out.

    `tail` is there while it is followed event by event: at work, or watched.
    """

    run: RunDir
    mark: Mark | None = None
    row: RunRow | None = None
    digest: Digest | None = None
    tail: Tail | None = None

    def stays(self, mark: Mark, *, watched: bool) -> bool:
        """Whether it is what it was: one that is at work may do anything, another one only by its files."""
        if self.row is None or self.row.running or mark != self.mark:
            return False
        return self.tail is not None or not watched

    def look(self, mark: Mark, digests: Digests, *, watched: bool) -> bool:
        """Find out what has become of it; whether its line is another one now.

        Raises:
            FileNotFoundError: it was deleted meanwhile.
        """
        before, self.mark = self.row, mark
        try:
            self.row = self._row(digests, watched=watched)
        except (UserError, ValueError) as error:
            self.row = damaged(self.run.run_id, self.run.path, str(error))
            self.tail = self.digest = None
        return self.row != before

    def _row(self, digests: Digests, *, watched: bool) -> RunRow:
        """Errors as `RunDir.history`."""
        run, key = self.run, key_of(self.run)
        # The lock first: a worker writes its last event before it lets go.
        if self.tail is None and not watched and not _is_held(run):
            digest = digests.of(run)
            if run.unanswered(digest.turns) is None:
                self.digest = digest
                return row_of(digest, run)
        tail = self.tail = self.tail or Tail.of(run)
        row = tail.record.row(*tail.state())
        self.digest = Digest.of(run, tail.record.history)
        if not row.running:
            if key == key_of(run):
                digests.put(run, key, self.digest)
            if not watched:
                self.tail = None
        return row


def mark_of(folder: str) -> Mark:
    """What changes as soon as anything befalls a run: its journal grows, its lock is taken, its folder gets a file.

    Asked of every run every second, so by plain strings: a Path costs as much as the question.
    """
    return tuple(_times(path) for path in (folder, f"{folder}/journal.jsonl", f"{folder}/run.lock"))


def _times(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _is_held(run: RunDir) -> bool:
    try:
        return run.holder() is not None
    except RunBusyError:
        return True
