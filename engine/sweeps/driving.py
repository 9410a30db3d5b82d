"""Who carries out a sweep: a lock for each, which the kernel frees with the process that holds it.

A piece that nobody has begun is told from it: it will be, for as long as somebody has the lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from engine.errors import RunBusyError, UserError
from engine.planning.where import Where
from engine.runs import rundir, runlock
from engine.runs.rundir import RunDir
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


def job_of(runs: Sequence[RunDir]) -> str:
    """What runs that are carried out together are called: their sweep, or the one run by itself."""
    return runs[0].plan.sweep or runs[0].run_id


def remember(database: Path, job: str, where: Where) -> None:
    """Which cluster carries this out, for whoever goes on with it; nothing where it is this host.

    Raises:
        OSError: the folder cannot be written.
    """
    path = _path(database, job).with_suffix(".json")
    if where.is_cluster:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(where)) + "\n", encoding="utf-8")
    else:
        path.unlink(missing_ok=True)


def cluster_of(database: Path, job: str) -> Where | None:
    """Where this was carried out last; None: on this host, or nobody can tell."""
    try:
        return Where(**json.loads(_path(database, job).with_suffix(".json").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError, UserError):
        return None


def log_path(database: Path, sweep: str) -> Path:
    """What a process that carries a sweep out in the background says."""
    return _path(database, sweep).with_suffix(".log")


def _path(database: Path, sweep: str) -> Path:
    return rundir.runs_root(database) / _FOLDER / f"{sweep}.lock"
