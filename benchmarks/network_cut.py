"""The network between whoever carries a sweep out and its Ray cluster is cut, and what became of its rows.

    python benchmarks/network_cut.py [SECONDS]

A cluster of two nodes on this host, which are taken not to see the folder of runs, and the demo model with two methods.
All that passes between the driver and the cluster passes through a TCP proxy; once the first cell is home, nothing does
for so many seconds (60), and nobody is told. At the end the cells are held against those of a plain run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from random_kills import SWEEP, TASKS, Nodes, cells, runs, start, verdict
from ray_nodes import Wire


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as text:
        home = Path(text)
        single, folder = home / "single", home / "cut"
        single.mkdir()
        folder.mkdir()
        assert start(single, "run", *SWEEP, *TASKS).wait() == 0
        expected = cells(single)
        nodes = Nodes(home / "nodes")
        try:
            for name in ("one", "two"):
                nodes.join(name)
            wire = Wire(nodes.port)
            driver = start(folder, "run", *SWEEP, *TASKS, "--on", f"ray://127.0.0.1:{wire.port}")
            while not cells(folder):
                assert driver.poll() is None, (folder / "driver.log").read_text()
                time.sleep(0.1)
            with wire.cut():
                began, at_work = len(cells(folder)), len(nodes.workers())
                time.sleep(seconds)  # what is measured
                print(f"cut for {seconds:g} s: {at_work} workers at work, {began} cells home before, "
                      f"{len(cells(folder))} at its end, of {len(expected)}", flush=True)  # fmt: skip
            code, wanted = driver.wait(), [run.state() for run in runs(folder)]
            lost, other = verdict(folder, expected)
            print(f"exit code {code}, runs {', '.join(map(str, wanted))}: {lost} rows lost, {other} doubled or changed")
            for line in (folder / "driver.log").read_text().splitlines():
                if "answer" in line or "lost with" in line:
                    print(f"  said: {line}")
        finally:
            nodes.shutdown()


if __name__ == "__main__":
    main()
