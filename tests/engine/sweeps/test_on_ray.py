"""A sweep on a real Ray cluster of two nodes on this host, which things are done to: its results are a plain run's, bit
for bit, with no row lost and none doubled.

The nodes are taken not to see the folder of runs, but in one test: all comes home over Ray. The first test has the demo
model; the others a worker without one (`steady_worker.py`), which starts in a second.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest
from ray_nodes import Nodes, Wire

from engine.runs.rundir import RunDir
from warehouse.records.events import Attempt, of_kind
from warehouse.records.facts import CellFacts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'prune-tui[ray]'"),
]
SUPPORT = Path(__file__).parents[2] / "support"
ROOT = Path(__file__).parents[3]
DEMO = ("demo", "--method", "maw,l2", "--levels", "0,20,40", "--tasks", "demo_story,demo_grammar")
SWEEP = ("demo", "--method", "maw,l2", "--levels", "0,10,20,30,40,50,60", "--tasks",
         "demo_story,demo_grammar,demo_sums,demo_lambada")  # fmt: skip
STEADY = {"STEADY_WORKER": "1"}
Cell = tuple[str, str, str]


def wait_for(condition: Callable[[], object], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


class Driver:
    """`prune-tui` as a process, in a folder of its own."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        self.folder = folder
        self.log = folder / f"driver-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(SUPPORT / "carried_by_ray.py"), *words], cwd=folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            )  # fmt: skip

    def ends(self, seconds: float = 600) -> int:
        try:
            return self.process.wait(seconds)
        finally:
            print(self.log.read_text())

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def said(self) -> str:
        return self.log.read_text()


def runs(folder: Path) -> list[RunDir]:
    return [RunDir(path.parent) for path in sorted((folder / "results.runs").glob("*/plan.json"))]


def cells(folder: Path) -> list[Cell]:
    """Every cell in the journals, with its numbers and the hash of its samples as they lie there."""
    return sorted(
        (f"{run.plan.method} {cell.level}", cell.task, f"{cell.metrics} {hash_of_samples(run, cell)}")
        for run in runs(folder)
        for cell in of_kind(run.events(), CellFacts)
    )


def hash_of_samples(run: RunDir, cell: CellFacts) -> str:
    """The steady worker's journal does not name its files."""
    named = [run.path / cell.samples] if cell.samples else run.samples_dir.glob(f"{cell.level}-{cell.task}-*.parquet")
    [found] = {sha256(path.read_bytes()).hexdigest() for path in named}
    assert found == cell.samples_hash or not cell.samples
    return found


def rows(folder: Path) -> list[tuple]:
    with duckdb.connect(folder / "results.duckdb", read_only=True) as con:
        return con.sql("select count(*), count(distinct (run_id, level, task)) from cells").fetchall()


def started(folder: Path) -> int:
    return len([cell for run in runs(folder) for cell in of_kind(run.events(), CellFacts)])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[Cell]:
    folder = tmp_path_factory.mktemp("plain")
    assert Driver(folder, "run", *SWEEP, **STEADY).ends() == 0
    return cells(folder)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    nodes = Nodes(tmp_path_factory.mktemp("nodes"))
    yield nodes
    nodes.shutdown()


@pytest.fixture
def two(nodes: Nodes) -> Nodes:
    for name in ("one", "two"):
        if name not in nodes.nodes:
            nodes.join(name)
    return nodes


def is_as(folder: Path, single: list[Cell]) -> None:
    assert cells(folder) == single
    assert rows(folder) == [(len(single), len(single))]


def test_the_demo_model_s_results_are_those_of_a_plain_run_also_where_a_worker_is_killed(tmp_path: Path, two: Nodes):
    single, folder = tmp_path / "single", tmp_path / "ray"
    single.mkdir()
    folder.mkdir()
    alone = [sys.executable, "-P", "-m", "prune_tui", "run", *DEMO]
    assert subprocess.run(alone, cwd=single, stdin=subprocess.DEVNULL).returncode == 0
    driver = Driver(folder, "run", *DEMO, "--on", two.address)
    wait_for(lambda: started(folder) >= 1)
    assert two.kill_worker()
    assert driver.ends() == 0
    assert "was killed by SIGKILL" in driver.said
    is_as(folder, cells(single))


def test_the_driver_is_killed_and_another_one_follows_what_went_on(tmp_path: Path, two: Nodes, plain: list[Cell]):
    driver = Driver(tmp_path, "run", *SWEEP, "--on", two.address, **STEADY)
    wait_for(lambda: all(map(RunDir.events, runs(tmp_path))) and started(tmp_path) >= 1)
    driver.kill()
    wait_for(lambda: not two.workers())  # they finish
    again = Driver(tmp_path, "resume", runs(tmp_path)[0].sweep or "", "--on", two.address, **STEADY)
    assert again.ends() == 0
    is_as(tmp_path, plain)
    assert {len(of_kind(run.events(), Attempt)) for run in runs(tmp_path)} == {1}


def test_a_sweep_is_stopped_and_goes_on_where_it_was(tmp_path: Path, two: Nodes, plain: list[Cell]):
    driver = Driver(tmp_path, "run", *SWEEP, "--on", two.address, **STEADY, STEADY_SECONDS="3")
    wait_for(lambda: started(tmp_path) >= 1)
    sweep = runs(tmp_path)[0].plan.sweep or ""
    assert Driver(tmp_path, "stop", sweep, **STEADY).ends() == 0
    assert driver.ends() == 130
    assert started(tmp_path) < len(plain)
    again = Driver(tmp_path, "resume", sweep, **STEADY)
    assert again.ends() == 0
    assert f"It goes on on {two.address}, where it was carried out before" in again.said
    is_as(tmp_path, plain)


def test_the_network_is_cut_for_a_while(tmp_path: Path, two: Nodes, plain: list[Cell]):
    """Between the driver and the cluster, by a proxy through which nothing passes; longer than Ray itself waits."""
    wire = Wire(two.port)
    grace = {"RAY_CLIENT_RECONNECT_GRACE_PERIOD": "3"}
    driver = Driver(tmp_path, "run", *SWEEP, "--on", f"ray://127.0.0.1:{wire.port}", **STEADY, **grace)
    wait_for(lambda: started(tmp_path) >= 1)
    with wire.cut():
        time.sleep(30)  # the time that passes is what is tested
    assert driver.ends() == 0
    wire.close()
    is_as(tmp_path, plain)


def test_nodes_that_see_the_folder_of_runs_write_there(tmp_path: Path, two: Nodes, plain: list[Cell]):
    before = set(two.cache("one").glob("pieces/*"))  # of tests that came first
    ours = {"NODES_SEE": "1", "RAY_ADDRESS": two.cluster.address, **STEADY}
    driver = Driver(tmp_path, "run", *SWEEP, "--on", "ray", **ours)
    wait_for(lambda: started(tmp_path) >= 1)
    assert set(two.cache("one").glob("pieces/*")) == before
    assert two.kill_worker()
    assert driver.ends() == 0
    is_as(tmp_path, plain)


def test_a_node_is_killed_and_another_one_joins(tmp_path: Path, two: Nodes, plain: list[Cell]):
    """The last one here, for each node that joins takes seconds."""
    driver = Driver(tmp_path, "run", *SWEEP, "--on", two.address, **STEADY)
    wait_for(lambda: started(tmp_path) >= 1)
    two.kill("one")
    two.kill("two")
    two.join("three")
    assert driver.ends() == 0
    assert "was lost with its node" in driver.said
    is_as(tmp_path, plain)
    two.kill("three")
