"""Where a worker's processes print to: the log of the run that they work on."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def log_to(path: Path) -> None:
    """Have what this process prints from now on go to another log.

    Raises:
        OSError: it cannot be written.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
