"""A folder for the time that something takes, beside the file that it is for, whose disk has to take it anyway."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_OWNER = re.compile(r"\.scratch-(?P<pid>\d+)-[^.]+$")


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """The folder, without links in its path. Those that processes left which were killed are removed on the way."""
    parent = beside.absolute().parent.resolve()
    _clear(parent)
    with tempfile.TemporaryDirectory(prefix=f".scratch-{os.getpid()}-", dir=parent) as name:
        yield Path(name)


def _clear(parent: Path) -> None:
    for folder in parent.glob(".scratch-*"):
        owner = _OWNER.fullmatch(folder.name)
        if owner and folder.is_dir() and not folder.is_symlink() and not psutil.pid_exists(int(owner["pid"])):
            shutil.rmtree(folder, ignore_errors=True)
