"""The command line, on a cluster whose nodes are taken not to see the folder of runs: what is written comes home."""

from functools import partial

from engine.sweeps import ray_cluster
from tui.cli import main

ray_cluster.RayCluster = partial(ray_cluster.RayCluster, shares=False)  # type: ignore[misc]
main()
