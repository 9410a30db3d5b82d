"""The command line, on a cluster whose nodes are taken not to see the folder of runs: what is written comes home.

NODES_SEE=1 has them asked as ever. STEADY_WORKER=1 puts a worker without a model into the real one's place, here and on
the nodes, which takes STEADY_SECONDS for a cell.
"""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from engine.runs import launch
from engine.sweeps import ray_cluster
from tui.cli import main

WORKER = str(Path(__file__).with_name("steady_worker.py"))
PACE = [f"--cell={seconds}"] if (seconds := os.environ.get("STEADY_SECONDS")) else []


def steady() -> type:
    worker, pace, ordinary = WORKER, PACE, ours()

    class Steady(ordinary):
        def __init__(self, version_here: str, alone: Any) -> None:
            super().__init__(version_here, alone)
            from engine.runs import launch

            launch.module_command = lambda module, *arguments: [sys.executable, worker, *arguments, *pace]

    return Steady


ours = ray_cluster._actor_class
if not os.environ.get("NODES_SEE"):
    ray_cluster.RayCluster = partial(ray_cluster.RayCluster, shares=False)  # type: ignore[misc]
if os.environ.get("STEADY_WORKER"):
    ray_cluster._actor_class = steady
    launch.module_command = lambda module, *arguments: [sys.executable, WORKER, *arguments, *PACE]
main()
