"""How one of our modules is run in a new process, and on how many cores."""

from __future__ import annotations

import os
import sys


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs one of our modules.

    `-P` keeps the working directory off `sys.path`, and `prune_tui.process` finds our packages before any others: a
    folder or a distribution called `engine` must not be taken for ours.
    """
    return [sys.executable, "-P", "-m", "prune_tui.process", module, *arguments]


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
