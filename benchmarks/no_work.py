"""What it takes to hand out pieces: so many of no work, by executor, on two places.

    python benchmarks/no_work.py [PIECES]

A worker is a shell that copies a finished journal, which takes a few milliseconds, so that what is measured is ours:
the folder, the start, the waiting for the end, and what comes home. `local` has two pretended cards; `Ray` two nodes
on this host, which write into the runs' folder, or whose files come home over Ray. One after another in one run, so
that what else the machine does meets all of them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import launch
from engine.runs.create import create_all
from engine.runs.rundir import RunDir, runs_root
from engine.sweeps import ray_cluster
from engine.sweeps.cards import Card
from engine.sweeps.carrying import Carrying
from engine.sweeps.executor import Executor, LocalExecutor
from engine.sweeps.ray_executor import RayExecutor
from warehouse.records.events import Attempt, Finished
from warehouse.records.level import parse_levels
from warehouse.store.journal import Journal


class Silent:
    def begins(self, run: Any, place: str) -> None: ...
    def cannot_begin(self, run: Any, error: Any) -> None: ...
    def event(self, run: Any, event: Any, history: Any) -> None: ...
    def dies(self, run: Any, history: Any, code: int, retry: int) -> None: ...
    def moves(self, run: Any, place: str) -> None: ...
    def ends(self, run: Any, history: Any, code: int, turns_before: int) -> None: ...


def idle_command(template: str) -> Callable[..., list[str]]:
    return lambda module, folder, *_: ["sh", "-c", 'cp "$0" "$1/journal.jsonl"', template, folder]


def pieces(folder: Path, count: int) -> list[RunDir]:
    plan = RunPlan(name="none", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),), sweep="s")
    return create_all([plan] * count, folder / "results.duckdb")


def journal(folder: Path) -> str:
    written = Journal(folder / "template.jsonl")
    written.append(Attempt(attempt=1, pid=1, host="here", provenance={}))
    written.append(Finished(failed=0))
    written.close()
    return str(folder / "template.jsonl")


def measure(what: str, runs: Sequence[RunDir], executor: Executor) -> None:
    while len(executor.places) < 2:
        time.sleep(0.1)
    began = time.monotonic()
    carrying = Carrying(runs, executor, Silent())
    carrying()
    took = time.monotonic() - began
    assert set(carrying.codes.values()) == {launch.FINISHED}
    print(f"| {what} | {took:.1f} | {1000 * took / len(runs):.0f} |", flush=True)


def main() -> None:
    import ray
    from ray.cluster_utils import Cluster
    from ray_nodes import wait_longer

    wait_longer()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"| {count} pieces on two places | seconds | ms a piece |\n|---|--:|--:|")
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        template = journal(folder)
        launch.module_command = idle_command(template)
        cards = [Card(0, "a"), Card(1, "b")]
        measure("local", pieces(folder / "local", count), LocalExecutor(cards))

        def actor_class() -> type:
            class Idle(ours()):
                def __init__(self, version_here: str, alone: Any) -> None:
                    super().__init__(version_here, alone)
                    from engine.runs import launch

                    launch.module_command = lambda module, folder, *_: [
                        "sh", "-c", 'cp "$0" "$1/journal.jsonl"', template, folder,
                    ]  # fmt: skip

            return Idle

        ours, ray_cluster._actor_class = ray_cluster._actor_class, actor_class
        Path("/tmp/ray").mkdir(exist_ok=True)  # where Ray writes down which cluster is the latest
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            cluster.add_node(num_cpus=1)
            ray.init(cluster.address, namespace="prune-tui", log_to_driver=False)
            for what, shares in (("Ray, one disk", True), ("Ray, files come home", False)):
                runs = pieces(folder / what, count)
                root = runs_root(folder / what / "results.duckdb")
                joined = ray_cluster.RayCluster(None, what, "finish", root, print, shares=shares)
                with joined.held():
                    executor = RayExecutor(joined)
                    measure(what, runs, executor)
                    executor.close()
            ray.shutdown()
        finally:
            cluster.shutdown()


if __name__ == "__main__":
    main()
