"""A copy of the database as it was before its schema changes."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse import filenames
from warehouse.errors import UserError
from warehouse.store.journal import sync

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def make(con: DuckDBPyConnection, path: Path, version: int) -> Path:
    """Copy the file that `con` has open for writing to a name beside it that no file has, and return that name.

    The copy is whole and on the disk before it gets its name. The caller is in no transaction.

    Raises:
        UserError: there is no room for it, or the folder cannot be written.
    """
    con.checkpoint()  # all of it into the one file; nobody else can write while we have it open
    draft = filenames.beside(path, "backup.new")
    try:
        _copy(path, draft)
        backup = filenames.publish_beside(draft, path.parent, f"{path.stem}.schema-{version}.backup", path.suffix)
    except OSError as error:
        raise UserError(
            f"{path} is from an older prune-tui and was left as it was, since no backup of it could be made first "
            f"({error.strerror or error}): make room for {path.stat().st_size / 1e6:,.0f} MB in {path.parent}, "
            "then try again."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)
    return backup


def _copy(path: Path, to: Path) -> None:
    """By another process: were the file opened and closed in this one, its lock would be gone."""
    room = shutil.disk_usage(path.parent).free
    if path.stat().st_size > room:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    done = subprocess.run(["cp", "-p", str(path.absolute()), str(to.absolute())], capture_output=True, text=True)
    if done.returncode:
        raise OSError(errno.EIO, done.stderr.strip() or "cp failed")
    sync(to)
