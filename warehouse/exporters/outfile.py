"""Files that a person asks for: written beside the name they are to have, and moved there when they are whole."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from warehouse import filenames
from warehouse.errors import UserError
from warehouse.store import run_folders

# What begins a file that is not replaced, and where in it.
_DATABASES = ((8, b"DUCK"), (0, b"SQLite format 3\0"))

T = TypeVar("T")


class TakenError(UserError):
    """The file exists, and may be replaced by whoever says so."""


def check(path: Path, database: Path, *, replace: bool) -> None:
    """Whether a file may be written, asked before the work of making it.

    Raises:
        TakenError: there is one already, and not `replace`.
        UserError: its folder is missing, or it is a database, which is never replaced, or a run's own file.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a file in it.")
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to write {path.name} in: make it, or choose another name.")
    if not path.exists() or _is_stream(path):
        return
    if _is_database(path, database):
        raise UserError(f"{path} is a database, which no export replaces: choose another name.")
    if path.resolve().is_relative_to(run_folders.root(database).resolve()):
        raise UserError(f"{path} belongs to a run, whose files are never replaced: choose another name.")
    if not replace:
        raise TakenError(f"{path} exists already: add --force to replace it, or choose another name.")


def write(path: Path, data: bytes, database: Path, *, replace: bool = False) -> None:
    """Raises:
    TakenError, UserError: as `check`.
    OSError: the disk refuses; what had the name before still has it.
    """
    check(path, database, replace=replace)
    if _is_stream(path):
        with path.open("wb") as stream:
            stream.write(data)
        return

    def fill(draft: Path) -> None:
        with draft.open("wb") as file:
            file.write(data)

    write_by(path, fill, database, replace=replace)


def write_by(path: Path, fill: Callable[[Path], T], database: Path, *, replace: bool = False) -> T:
    """As `write`, for a file that `fill` makes under the name that it is given; returns what `fill` does."""
    check(path, database, replace=replace)
    if _is_stream(path):
        raise UserError(f"{path} is no file that could be read again: name another one.")
    target = path.resolve()  # a link stays a link
    draft = filenames.beside(target, f"{os.getpid()}.new")
    try:
        made = fill(draft)
        _sync(draft)
        if target.exists():
            draft.chmod(stat.S_IMODE(target.stat().st_mode))
            check(path, database, replace=replace)  # it may have come meanwhile
            draft.replace(target)
        else:
            filenames.publish(draft, target)
    except FileExistsError as error:
        raise TakenError(f"{path} exists already: choose another name.") from error
    except OSError as error:
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(path)) from error
    finally:
        with suppress(OSError):  # where it could not be made, neither can it be removed
            draft.unlink(missing_ok=True)
    return made


def _is_stream(path: Path) -> bool:
    """A pipe, a device, or what this process has open: written to as it is."""
    own = str(path.absolute()).startswith(("/dev/fd/", "/dev/stdout", "/dev/stderr", "/proc/self/fd/"))
    return path.exists() and (own or not path.is_file())


def _is_database(path: Path, database: Path) -> bool:
    if database.exists() and path.samefile(database):
        return True  # not opened: to close it again would take this process's lock on it away
    if path.name.endswith(".wal") and path.with_suffix("").exists():
        return True  # its log
    with path.open("rb") as file:
        head = file.read(32)
    return any(head[at : at + len(magic)] == magic for at, magic in _DATABASES)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
