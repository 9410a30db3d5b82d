"""The command line with the fake worker in the real one's place."""

import sys
from pathlib import Path

from engine import launch
from tui.cli import main

launch.module_command = lambda module, *arguments: [
    sys.executable, str(Path(__file__).with_name("fake_worker.py")), *arguments,
]  # fmt: skip
main()
