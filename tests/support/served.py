"""`served.py ARGUMENT…` is prune-tui, forked from the tests' server: what a shell's script starts by that name."""

import sys

from forked import ForkedPopen

sys.exit(ForkedPopen([sys.executable, "-P", "-m", "prune_tui", *sys.argv[1:]]).wait())
