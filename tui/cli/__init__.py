"""The command line. This module and `app` are light: what a command needs is imported when it runs."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """The `prune-tui` command."""
    from tui.cli.app import app
    from tui.cli.guard import guarded

    sys.exit(guarded(app, sys.argv[1:]))
