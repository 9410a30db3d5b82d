"""Files that are made once a session, and copied."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

from warehouse.store import known


def once(path: Path, make: Callable[[Path], object]) -> Path:
    """A file that is made by whoever of a session's processes needs it first; the others wait for it."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            draft = path.with_suffix(".draft")
            make(draft)
            draft.rename(path)
    return path


def copied(database: Path, to: Path) -> Path:
    """A copy that is as if prune-tui had just written it: that nobody altered it need not be found out again."""
    shutil.copy(database, to)
    known.sign(to)
    return to
