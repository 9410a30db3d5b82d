"""Who carries out a sweep: a lock for each, which the kernel frees with the process that holds it.

A piece that nobody has begun is told from it: it will be, for as long as somebody has the lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import RunBusyError
from engine.runs import rundir, runlock
from engine.runs.runlock import Holder

_FOLDER = ".sweeps"  # no run's: those begin with their time


@contextmanager
def carrying_out(database: Path, sweep: str | None) -> Iterator[None]:
    """Hold a sweep, where there is one, for as long as the block lasts.

    Raises:
        RunBusyError: another process has it.
        OSError: the folder cannot be written.
    """
    if sweep is None:
        yield
        return
    path = _path(database, sweep)
    path.parent.mkdir(parents=True, exist_ok=True)
    if (who := runlock.holder(path)) is not None:
        raise RunBusyError(f"Sweep {sweep} is being carried out by {who}: stop that first, or wait for it.")
    with runlock.hold(path):
        yield


def carried_out_by(database: Path, sweep: str) -> Holder | None:
    return runlock.holder(_path(database, sweep))


def log_path(database: Path, sweep: str) -> Path:
    """What a process that carries a sweep out in the background says."""
    return _path(database, sweep).with_suffix(".log")


def _path(database: Path, sweep: str) -> Path:
    return rundir.runs_root(database) / _FOLDER / f"{sweep}.lock"
