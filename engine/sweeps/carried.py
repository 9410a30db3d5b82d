"""Who carries a piece out elsewhere: `carried.json` in its folder, written down before an attempt begins.

Attempts at a piece are numbered. What an earlier one writes is not taken once a later one has begun: a node that was
only cut off goes on writing.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from engine.runs.rundir import RunDir
from warehouse.records.values import read as read_values
from warehouse.store.journal import sync

_NAME = "carried.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """`number` counts from 1; `host` and `folder` are where its files are; `log` is how many bytes the worker's log had
    here before.
    """

    number: int
    host: str
    folder: str
    log: int


def write(run: RunDir, carried: Carried) -> None:
    """Raises:
    OSError: the folder cannot be written.
    """
    draft = run.path / f".{_NAME}.{os.getpid()}"
    with draft.open("w", encoding="utf-8") as file:
        file.write(json.dumps(asdict(carried)) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(run.path / _NAME)
    sync(run.path)


def read(run: RunDir) -> Carried | None:
    """The latest attempt; None: there was none, or the file is damaged, and its attempt is as good as lost."""
    try:
        return read_values(Carried, json.loads((run.path / _NAME).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
