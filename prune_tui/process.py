"""`python -m prune_tui.process MODULE [ARGUMENT…]`: one of our modules, as a process of its own."""

from __future__ import annotations

import runpy
import sys

from prune_tui import ours

if __name__ == "__main__":
    ours.come_first()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
