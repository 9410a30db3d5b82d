"""How one of our modules is run in a new process."""

from __future__ import annotations

import sys


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs one of our modules.

    `-P` keeps the working directory off `sys.path`, and `prune_tui.process` finds our packages before any others: a
    folder or a distribution called `engine` must not be taken for ours.
    """
    return [sys.executable, "-P", "-m", "prune_tui.process", module, *arguments]
