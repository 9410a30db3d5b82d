"""Which files this process has compared with what the program makes, so that it need not at each opening.

A file that changed since is compared again, whoever changed it. Times of change are coarse: what was only looked at is
known once its last change is old enough to differ from a later one; what this process wrote it signs with a time of
change that no clock would give it.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import suppress
from pathlib import Path

from warehouse.store import template

CLOCK_TICK = 20_000_000
"""Nanoseconds within which two writes may leave the same time of change."""
_looked_at: dict[Path, tuple[object, ...]] = {}
_signed: dict[Path, tuple[object, ...]] = {}


def is_as_written(path: Path) -> bool:
    """Whether nobody can have changed the file, which is open, since it was signed: it has all that a writer adds."""
    return _signed.get(path.absolute()) == _imprint(path)


def is_ours(path: Path) -> bool:
    """Whether nobody can have changed the file, which is open, since it was noted or signed."""
    return is_as_written(path) or (_looked_at.get(path.absolute()) == _imprint(path) and not _is_young(path))


def note(path: Path) -> None:
    """The open file was compared, and is ours."""
    if not _is_young(path):
        _looked_at[path.absolute()] = _imprint(path)


def sign(path: Path) -> None:
    """The file, open for writing, holds all that was written and nothing that is not ours.

    Who may write it but does not own it cannot sign it: it is compared again then.
    """
    now = time.time_ns()
    with suppress(OSError):
        os.utime(path, ns=(now, now - random.randrange(CLOCK_TICK // 2)))
        _signed[path.absolute()] = _imprint(path)


def _imprint(path: Path) -> tuple[object, ...]:
    """What a change of the file, or of its log, changes."""
    return (
        template.schema_key(),
        *((one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for one in _stats(path)),
    )


def _is_young(path: Path) -> bool:
    return any(abs(time.time_ns() - one.st_ctime_ns) < CLOCK_TICK for one in _stats(path))


def _stats(path: Path) -> list[os.stat_result]:
    log = path.with_name(f"{path.name}.wal")
    return [file.stat() for file in (path, log) if file.exists()]
