"""Which files have been compared with what the program makes, so that they need not be at each opening.

A file that changed since is compared again, whoever changed it: nobody sets the time of a file's last change but the
clock. Times of change are coarse: what was only looked at is known once its last change is old enough to differ from a
later one; what this program wrote it signs with a time of change that no clock would give it. What one process knows is
kept in the user's cache folder for the next.
"""

from __future__ import annotations

import json
import os
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from warehouse.store import cache, template

CLOCK_TICK = 20_000_000
"""Nanoseconds within which two writes may leave the same time of change."""
_FOLDER = "known"


@dataclass(frozen=True, slots=True)
class _Known:
    """What the file was like when it was compared; `signed` if it was written by this program then."""

    imprint: list[Any]
    signed: bool


_known: dict[Path, _Known] = {}


def is_as_written(path: Path) -> bool:
    """Whether nobody can have changed the file since it was signed: it has all that a writer adds."""
    found = _found(path)
    return found is not None and found.signed


def is_ours(path: Path) -> bool:
    """Whether nobody can have changed the file since it was noted or signed."""
    found = _found(path)
    return found is not None and (found.signed or not _is_young(path))


def note(path: Path) -> None:
    """The open file was compared, and is ours."""
    if not _is_young(path):
        _keep(path, signed=False)


def sign(path: Path) -> None:
    """The file, open for writing, holds all that was written and nothing that is not ours.

    Who may write it but does not own it cannot sign it: it is compared again then.
    """
    now = time.time_ns()
    with suppress(OSError):
        os.utime(path, ns=(now, now - random.randrange(CLOCK_TICK // 2)))
        _keep(path, signed=True)


def _found(path: Path) -> _Known | None:
    """What is known of the file as it is now, by this process or by another."""
    path, imprint = path.absolute(), _imprint(path)
    found = _known.get(path)
    if found is None or found.imprint != imprint:
        found = _read(path)
    if found is None or found.imprint != imprint:
        return None
    _known[path] = found
    return found


def _keep(path: Path, *, signed: bool) -> None:
    path = path.absolute()
    found = _Known(_imprint(path), signed)
    if _known.get(path) == found:
        return
    _known[path] = found
    if (kept := _place(path)) is None:
        return
    with suppress(OSError):
        if not kept.exists():
            cache.clear(kept.parent)
        draft = kept.with_name(f"{kept.name}.{os.getpid()}.draft")
        draft.write_text(json.dumps({"imprint": found.imprint, "signed": signed}), encoding="utf-8")
        draft.replace(kept)


def _read(path: Path) -> _Known | None:
    if (kept := _place(path)) is None:
        return None
    try:
        about = json.loads(kept.read_text(encoding="utf-8"))
        return _Known(list(about["imprint"]), about["signed"] is True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _place(path: Path) -> Path | None:
    folder = cache.folder(_FOLDER)
    return None if folder is None else folder / f"{sha256(os.fsencode(path)).hexdigest()}.json"


def _imprint(path: Path) -> list[Any]:
    """What a change of the file, or of its log, changes."""
    return [
        template.schema_key(),
        *([one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns] for one in _stats(path)),
    ]


def _is_young(path: Path) -> bool:
    return any(abs(time.time_ns() - one.st_ctime_ns) < CLOCK_TICK for one in _stats(path))


def _stats(path: Path) -> list[os.stat_result]:
    log = path.with_name(f"{path.name}.wal")
    return [file.stat() for file in (path, log) if file.exists()]
