"""What `--on` may name, and which places a cluster has; without Ray."""

from __future__ import annotations

import pytest

from engine.errors import UserError
from engine.planning.where import Where
from engine.sweeps import ray_joining
from engine.sweeps.ray_joining import places_of, require


def node(name: str, *, alive: bool = True, **resources: float) -> dict:
    return {"NodeID": name, "Alive": alive, "Resources": resources}


def test_a_cluster_is_this_host_s_or_at_an_address():
    assert Where(on="ray").address is None
    assert Where(on="ray://head:10001").address == "ray://head:10001"


def test_without_ray_it_is_said_how_to_have_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ray_joining, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'prune-tui\[ray\]'"):
        require("ray")


def test_each_gpu_is_a_place_or_each_node_where_there_is_none():
    cpus = [node("a", CPU=8.0), node("b", CPU=2.0), node("head", CPU=0.0), node("gone", alive=False, CPU=4.0)]
    assert [(one["NodeID"], number) for one, number in places_of(cpus)[0]] == [("a", 0), ("b", 0)]
    gpus = [*cpus, node("c", CPU=8.0, GPU=2.0)]
    assert [(one["NodeID"], number) for one, number in places_of(gpus)[0]] == [("c", 0), ("c", 1)]
    assert [gpu for _, gpu in (places_of(cpus), places_of(gpus))] == [False, True]
