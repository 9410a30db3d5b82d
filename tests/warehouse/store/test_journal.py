"""The journal on a disk that refuses."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from warehouse.records.events import Log, Stopped, of_kind
from warehouse.store import journal
from warehouse.store.journal import Journal, JournalFullError


class Disk:
    """Takes `room` bytes, then refuses; `truncate` says whether what was begun can be taken back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int, *, truncate: bool = True) -> None:
        self.room = room
        self.write, self.truncate = os.write, os.ftruncate
        monkeypatch.setattr(journal.os, "write", self._write)
        if not truncate:
            monkeypatch.setattr(journal.os, "ftruncate", self._refuse)

    def _write(self, fd: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self.write(fd, data[: self.room])
        self.room -= written
        return written

    def _refuse(self, fd: int, length: int) -> None:
        raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.mark.parametrize("room", range(0, 60, 7))
def test_a_full_disk_costs_the_event_that_met_it_and_no_other(
    path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    writer = Journal(path)
    writer.append(Log(message="before"))
    with monkeypatch.context() as full:
        Disk(full, room)
        with pytest.raises(JournalFullError, match=r"no room .*free some space, then go on"):
            writer.append(Log(message="a message that is too long for what is left of the disk"))
    assert writer.append(Log(message="after")) == 1
    assert [log.message for log in of_kind(journal.read(path)[0], Log)] == ["before", "after"]


def test_half_an_event_that_could_not_be_taken_back_at_once_is_before_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Journal(path)
    with monkeypatch.context() as full:
        Disk(full, 10, truncate=False)
        with pytest.raises(JournalFullError):
            writer.append(Log(message="lost"))
    assert path.stat().st_size == 10
    writer.append(Log(message="after"))
    assert [log.message for log in of_kind(journal.read(path)[0], Log)] == ["after"]


def test_an_event_that_did_not_reach_the_disk_is_not_in_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    writer = Journal(path)
    with monkeypatch.context() as broken:
        broken.setattr(journal.os, "fsync", refuse)
        with pytest.raises(OSError, match="Input/output"):
            writer.append(Stopped(reason="asked to"))
    assert journal.read(path) == ([], 0)


def test_a_new_journals_name_is_on_the_disk_before_anything_is_written_to_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    with monkeypatch.context() as watched:
        watched.setattr(journal.os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
        Journal(path)
    assert synced == [path.parent.stat().st_ino]


def test_a_closed_journal_leaves_no_file_open(path: Path) -> None:
    def files() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    before = files()
    Journal(path).close()
    assert files() == before
