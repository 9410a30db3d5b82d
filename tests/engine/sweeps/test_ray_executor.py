"""Pieces on a cluster that loses calls, nodes and drivers: nothing is done twice, and nothing is missing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from simulated_cluster import SimulatedCluster

from engine.errors import RunBusyError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import launch, stopping
from engine.runs.create import create_all
from engine.runs.rundir import RunDir
from engine.sweeps import carried, carrying, ray_place
from engine.sweeps.carrying import Carrying
from engine.sweeps.ray_executor import RayExecutor, RayWorker
from engine.sweeps.streaming import files_of
from warehouse.records.events import Attempt, of_kind
from warehouse.records.facts import CellFacts
from warehouse.records.level import parse_levels

LEVELS = ["0", "20", "40"]


class Killed(BaseException):
    """The driver is no more."""


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(ray_place, "_NEWS_WITHIN", -1.0)
    monkeypatch.setattr(ray_place, "_kill", lambda worker: setattr(worker, "code", worker.code or -9))
    monkeypatch.setattr(ray_place.Place, "_watch", lambda self: None)


def pieces(folder: Path, count: int) -> list[RunDir]:
    plans = [
        RunPlan(
            name=f"piece {n}", model="m", levels=tuple(parse_levels("0,20,40")), tasks=(TaskSpec("piqa"),), sweep="s"
        )
        for n in range(count)
    ]
    return create_all(plans, folder / "results.duckdb")


class Silent:
    def begins(self, run, place): ...
    def cannot_begin(self, run, error): ...
    def event(self, run, event, history): ...
    def dies(self, run, history, code, retry): ...
    def moves(self, run, place): ...
    def ends(self, run, history, code, turns_before): ...


@pytest.fixture
def cluster(tmp_path: Path) -> SimulatedCluster:
    cluster = SimulatedCluster(tmp_path / "nodes", random.Random(1))
    cluster.join("a")
    cluster.join("b")
    return cluster


def carry(runs: list[RunDir], cluster: SimulatedCluster, at_each_look=lambda look: None) -> dict[str, int]:
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        assert looks < 2000, "it never ends"
        cluster.step()
        return bool(at_each_look(looks))

    carries = Carrying(runs, RayExecutor(cluster), Silent(), look)
    try:
        carries()
    except Killed:
        for one in carries._at_work.values():  # as the kernel does
            assert isinstance(one.worker, RayWorker)
            one.worker._held.close()
    return carries.codes


def cells(run: RunDir) -> list[str]:
    """Levels, in the order of the journal: each has to be there once, with its samples as that attempt wrote them."""
    found = of_kind(run.events(), CellFacts)
    for cell in found:
        attempt = int(str(cell.samples).rpartition("-")[2].partition(".")[0])
        assert (run.path / str(cell.samples)).read_bytes() == b"%d " % attempt * 10
    return sorted(cell.level for cell in found)


def test_pieces_end_at_home_and_nodes_forget_them(tmp_path: Path, cluster: SimulatedCluster):
    runs = pieces(tmp_path, 3)
    assert set(carry(runs, cluster).values()) == {launch.FINISHED}
    assert [cells(run) for run in runs] == [LEVELS] * 3
    assert all(run.holder() is None for run in runs)
    assert [path.name for path in (tmp_path / "nodes").glob("*/*")] == []


def test_a_node_that_dies_takes_only_what_had_not_come_home(tmp_path: Path, cluster: SimulatedCluster):
    [run] = pieces(tmp_path, 1)

    def dies(look: int) -> None:
        if len(reached(run)) == 2 and "a" in cluster.nodes:
            cluster.leave("a", cut_off=False)

    carry([run], cluster, dies)
    assert cells(run) == LEVELS
    assert [attempt.attempt for attempt in of_kind(run.events(), Attempt)] == [1, 2]
    assert carried.read(run).number == 2  # type: ignore[union-attr]


def reached(run: RunDir) -> list[str]:
    return [cell.level for cell in of_kind(run.events(), CellFacts)]


def test_lines_of_a_node_that_is_only_cut_off_are_not_taken_when_it_comes_back(
    tmp_path: Path, cluster: SimulatedCluster
):
    [run] = pieces(tmp_path, 1)

    def cut(look: int) -> None:
        if len(reached(run)) == 1 and "a" in cluster.nodes and not cluster.cut_off:
            cluster.leave("a", cut_off=True)
        elif cluster.cut_off and len(reached(run)) == 2:
            cluster.nodes["a"] = cluster.cut_off[0]

    carry([run], cluster, cut)
    assert cells(run) == LEVELS
    assert of_kind(cluster.cut_off[0].workers[0].run.events(), CellFacts)[-1].level == "40"


def test_a_driver_that_takes_over_follows_the_same_attempt(tmp_path: Path, cluster: SimulatedCluster):
    runs = pieces(tmp_path, 3)

    def killed(look: int) -> None:
        if len(reached(runs[0])) == 1:
            raise Killed

    carry(runs, cluster, killed)
    for _ in range(100):
        cluster.step()  # workers finish
    carry(runs, cluster)
    assert [cells(run) for run in runs] == [LEVELS] * 3
    assert [len(of_kind(run.events(), Attempt)) for run in runs] == [1, 1, 1]


def test_what_a_place_left_on_its_host_is_brought_home_by_another_one_there(tmp_path: Path, cluster: SimulatedCluster):
    [run] = pieces(tmp_path, 1)

    def killed(look: int) -> None:
        if len(reached(run)) == 1:
            raise Killed

    carry([run], cluster, killed)
    for _ in range(100):
        cluster.step()
    cluster.join("a")  # the actor was lost with the driver; its folder is there
    carry([run], cluster)
    assert cells(run) == LEVELS
    assert len(of_kind(run.events(), Attempt)) == 2  # which had nothing left to do but to say so


def test_it_is_asked_to_stop_by_a_file_in_the_run_s_folder(tmp_path: Path, cluster: SimulatedCluster):
    [run] = pieces(tmp_path, 1)

    def stop(look: int) -> None:
        if len(reached(run)) == 1 and not run.stop_path.exists():
            assert stopping.ask(run).is_alive()

    codes = carry([run], cluster, stop)
    assert codes == {run.run_id: launch.STOPPED}
    assert not run.stop_path.exists()
    carry([run], cluster)
    assert cells(run) == LEVELS


def test_it_can_be_killed_there(tmp_path: Path, cluster: SimulatedCluster):
    [run] = pieces(tmp_path, 1)

    def kill(look: int) -> None:
        if len(reached(run)) == 1:
            run.stop_path.write_text(stopping.KILL)

    assert carry([run], cluster, kill) == {run.run_id: launch.STOPPED}
    carry([run], cluster)
    assert cells(run) == LEVELS


def test_a_run_that_somebody_works_on_here_is_left_alone(tmp_path: Path, cluster: SimulatedCluster):
    [run] = pieces(tmp_path, 1)
    with run.lock(), pytest.raises(RunBusyError):
        RayExecutor(cluster).start(run, "a")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))])
def test_whatever_is_lost_nothing_is_done_twice_and_nothing_is_missing(tmp_path: Path, seed: int):
    """Calls are lost before and after they ran, workers and nodes die, nodes are cut off and come back, nodes join, and
    drivers are killed: until all is done.
    """
    draw = random.Random(seed)
    cluster = SimulatedCluster(tmp_path / "nodes", draw, lost=0.2, prompt=0.7, pace=5)
    runs = pieces(tmp_path, 4)
    names = iter(range(1000))
    sittings = 0

    def trouble(look: int) -> None:
        match draw.randrange(60):
            case 0 if len(cluster.nodes) < 4:
                cluster.join(f"node {next(names)}")
            case 1 if len(cluster.nodes) > 1:
                cluster.leave(draw.choice(list(cluster.nodes)), cut_off=draw.random() < 0.5)
            case 2 if cluster.cut_off:
                cluster.nodes[f"back {next(names)}"] = cluster.cut_off.pop()
            case 3:
                for place in cluster.nodes.values():
                    for worker in getattr(place, "workers", [])[-1:]:
                        worker.code = worker.code or -9 if worker.code is None and draw.random() < 0.5 else worker.code
            case 4 if draw.random() < 0.3:
                raise Killed

    while not all(len(reached(run)) == 3 for run in runs):
        sittings += 1
        assert sittings < 60
        if not cluster.nodes:
            cluster.join(f"node {next(names)}")
        carry(runs, cluster, trouble)
    assert [cells(run) for run in runs] == [LEVELS] * 4
    assert all(len(set(files_of(run.path))) >= 3 for run in runs)
