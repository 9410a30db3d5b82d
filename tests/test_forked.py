"""The server that tests fork processes from outlives whoever asks it."""

from __future__ import annotations

import subprocess
import sys

import forked
import pytest


@pytest.mark.parametrize("said", [b"", b"\x10", (100).to_bytes(4, "little")])
def test_who_is_killed_while_it_asks_does_not_end_the_server(said: bytes):
    link = forked._connect("light")
    link.sendall(said)
    link.close()
    done = subprocess.run([sys.executable, "-P", "-m", "prune_tui", "--version"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
