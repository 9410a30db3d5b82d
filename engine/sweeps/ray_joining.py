"""Joining a Ray cluster, or beginning one of this host alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from engine.errors import UserError

NAMESPACE = "prune-tui"
_BUSY = "Initialization failure"  # the client's server is there, and did not get its process started in half a minute
_TRIES = 3


def require(on: str) -> None:
    """Ray is there for `on`.

    Raises:
        UserError: Ray is not installed.
    """
    if find_spec("ray") is None:
        raise UserError(f"on {on} needs Ray: `pip install 'prune-tui[ray]'`, here and on the nodes.")


def places_of(nodes: Sequence[Mapping[str, Any]]) -> tuple[list[tuple[Mapping[str, Any], int]], bool]:
    """A place for each GPU of a cluster, or for each node where there are none, as the node and its number there; and
    whether they are GPUs.
    """
    alive = [(node, node["Resources"]) for node in nodes if node["Alive"]]
    gpu = any(has.get("GPU") for _, has in alive)
    counts = ((node, int(has.get("GPU", 0) if gpu else min(has.get("CPU", 0), 1))) for node, has in alive)
    return [(node, number) for node, count in counts for number in range(count)], gpu


def places_now() -> int:
    """How many places the cluster has that was joined."""
    import ray

    return len(places_of(ray.nodes())[0])


def gone() -> tuple[type[Exception], ...]:
    """What Ray, or its client, raises where the cluster does not answer."""
    import grpc
    from ray import exceptions

    return ConnectionError, exceptions.RaySystemError, exceptions.RpcError, grpc.RpcError


def join(address: str | None, *, begins: bool = True) -> None:
    """Join a cluster; without an address the one that this host is a node of, or one of its own, which ends with this
    process, where it `begins` one.

    Raises:
        UserError: there is none at the address, or it does not take this version.
    """
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"  # else a call after a lost connection begins a cluster of its own
    import ray

    how: dict[str, Any] = {"namespace": NAMESPACE, "log_to_driver": False, "logging_level": logging.ERROR}
    if address is not None:
        _join_at(address, how)
        return
    try:
        ray.init("auto", **how)
    except ConnectionError as error:
        if not begins:
            raise UserError("The cluster is gone.") from error
        ray.init(include_dashboard=False, **how)


def _join_at(address: str, how: Mapping[str, Any]) -> None:
    import ray

    for left in reversed(range(_TRIES)):
        try:
            ray.init(address, **how)
            return
        except (ConnectionError, RuntimeError, ValueError) as error:
            why = " ".join(str(error).split())[:200] or type(error).__name__
            if left == 0 or not isinstance(error, ConnectionError) or _BUSY not in why:
                raise UserError(f"No cluster answers at {address} ({why}): look at `ray status` there.") from error
