"""`python -m tui` is `prune-tui`."""

from __future__ import annotations

from tui.cli import main

main()
