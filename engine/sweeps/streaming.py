"""A piece's files, brought home from where it is worked on: bytes from an offset, in order, as often as it takes.

Whoever has the piece at home asks with what there is already, and takes of an answer what follows on that: an answer
that is lost, late or doubled changes nothing. A file is there before the journal's line that speaks of it, and only
whole lines of the journal are taken. Requests and answers are plain values, which any carrier can bring over.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import Any

from engine.runs.rundir import RunDir
from engine.sweeps.carried import Carried
from warehouse.store import journal

CHUNK = 2**22  # bytes of an answer, but for a line that is longer
_KINDS = (".parquet", ".npz")  # files that are whole once they have their name, and stay as they are
_DRAFT = ".part"
_HASHES: dict[tuple[Path, int, int], str] = {}

Request = dict[str, Any]
Answer = dict[str, Any]


class StreamError(Exception):
    """What came is no journal of this piece."""


def files_of(folder: Path) -> list[str]:
    """The files of a run's folder that are written once, seen from it."""
    found = (path for path in folder.rglob("*") if path.suffix in _KINDS and path.name[0] != ".")
    return sorted(path.relative_to(folder).as_posix() for path in found)


def answer(folder: Path, request: Request, chunk: int = CHUNK) -> Answer:
    """What a folder has beyond what is asked with; `drained` says that this is all for now.

    The journal's end is looked at first: a line is written after the files that it speaks of.
    """
    end = _size(folder / "journal.jsonl")
    found: Answer = {"attempt": request["attempt"], "file": None, "journal": None, "log": None, "drained": False}
    have: dict[str, str] = request["have"]
    missing = [name for name in files_of(folder) if have.get(name) != _fingerprint(folder / name)[1]]
    if missing:
        name, offset = request["part"] or (missing[0], 0)
        if name not in missing:
            name, offset = missing[0], 0
        found["file"] = (name, offset, _bytes(folder / name, offset, chunk), *_fingerprint(folder / name))
        return found
    lines = _lines(folder / "journal.jsonl", request["journal"], end, chunk)
    log = _bytes(folder / "worker.log", request["log"], chunk)
    found["journal"], found["log"] = (request["journal"], lines), (request["log"], log)
    found["drained"] = not lines and not log
    return found


@dataclass(slots=True)
class Copy:
    """The files of one attempt at a piece, as they come home. The caller holds the run's lock.

    Raises:
        JournalError: the journal here is damaged before its last line.
    """

    run: RunDir
    carried: Carried
    _have: dict[str, str] = field(default_factory=dict[str, str])  # sha256 by name
    _part: tuple[str, int] | None = None
    _journal: int = 0
    _last: int = -1

    def __post_init__(self) -> None:
        path = self.run.journal_path
        events, self._journal = journal.read(path) if path.exists() else ([], 0)
        self._last = events[-1].seq if events else -1
        if path.exists() and path.stat().st_size > self._journal:  # what a crash left of a line
            os.truncate(path, self._journal)
        self._have = {name: _sha256(self.run.path / name) for name in files_of(self.run.path)}
        for draft in self.run.path.glob(f"*/*{_DRAFT}"):  # what an earlier sitting had of a file
            name = draft.relative_to(self.run.path).as_posix().removesuffix(_DRAFT)
            self._part = (name, draft.stat().st_size)

    def sent(self) -> dict[str, bytes]:
        """What the attempt begins with, where it is worked on: all but the samples, which no worker reads."""
        names = [name for name in files_of(self.run.path) if not name.startswith(f"{self.run.samples_dir.name}/")]
        journals = [self.run.journal_path.name] if self.run.journal_path.exists() else []
        return {name: (self.run.path / name).read_bytes() for name in ["plan.json", *names, *journals]}

    def request(self) -> Request:
        log = max(0, _size(self.run.log_path) - self.carried.log)
        return {
            "run": self.run.run_id,
            "attempt": self.carried.number,
            "have": self._have,
            "part": self._part,
            "journal": self._journal,
            "log": log,
        }

    def take(self, came: Answer) -> None:
        """Raises:
        StreamError: the lines do not go on from those that are here.
        OSError: the disk is full, or the folder cannot be written.
        """
        if came["attempt"] != self.carried.number:
            return
        if came["file"] is not None:
            self._take_part(*came["file"])
        if came["log"] is not None:
            offset, log = came["log"]
            if log and offset == _size(self.run.log_path) - self.carried.log:
                with self.run.log_path.open("ab") as file:
                    file.write(log)
        if came["journal"] is not None:
            offset, lines = came["journal"]
            if offset == self._journal:
                self._append(lines[: lines.rfind(b"\n") + 1])

    def _append(self, lines: bytes) -> None:
        if not lines:
            return
        try:
            self._last = journal.take_over(self.run.journal_path, lines, after=self._last)
        except ValueError as error:
            raise StreamError(f"its journal is damaged ({error})") from error
        self._journal += len(lines)

    def _take_part(self, name: str, offset: int, part: bytes, size: int, sha256: str) -> None:
        path = self.run.path / _inside(name)
        draft = path.with_name(path.name + _DRAFT)
        if self._have.get(name) == sha256 or (offset and self._part != (name, offset)):
            return
        path.parent.mkdir(exist_ok=True)
        with draft.open("ab" if offset else "wb") as file:
            file.write(part)
            file.flush()
            os.fsync(file.fileno())
        self._part = (name, offset + len(part))
        if self._part[1] < size:
            return
        self._part = None
        if _sha256(draft) == sha256:  # else it is asked for again
            draft.replace(path)
            journal.sync(path.parent)
            self._have[name] = sha256


def lay_out(folder: Path, files: dict[str, bytes]) -> None:
    """Write down what an attempt begins with.

    Raises:
        OSError: the folder cannot be written.
    """
    for name, content in files.items():
        path = folder / _inside(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _inside(name: str) -> str:
    """Raises:
    StreamError: it is no name of a file in a run's folder.
    """
    parts: Sequence[str] = PurePosixPath(name).parts
    if not 1 <= len(parts) <= 2 or ".." in parts or parts[0] == "/":
        raise StreamError(f"it sent a file '{name}'")
    return name


def _lines(path: Path, offset: int, end: int, chunk: int) -> bytes:
    """Whole lines from an offset on, not beyond `end`."""
    if offset >= end:
        return b""
    with path.open("rb") as file:
        file.seek(offset)
        lines = file.read(min(chunk, end - offset))
        if b"\n" not in lines:
            lines += file.readline()
    return lines[: lines.rfind(b"\n") + 1]


def _bytes(path: Path, offset: int, chunk: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(chunk)
    except FileNotFoundError:
        return b""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _fingerprint(path: Path) -> tuple[int, str]:
    status = path.stat()
    key = (path, status.st_size, status.st_mtime_ns)
    if key not in _HASHES:
        _HASHES[key] = _sha256(path)
    return status.st_size, _HASHES[key]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
