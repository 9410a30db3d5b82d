"""A Ray cluster of several nodes on this host, that can be killed; and a network between it and a driver, that can be
cut.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

_TEMP = Path("/tmp/ray")  # where Ray writes down which cluster is the latest
_TRIES = 5
_STARTS_WITHIN = 240.0  # seconds
_WORKERS = {"engine.worker", "steady_worker.py"}


class Nodes:
    """`address` is for Ray Client. Each node has a cache, and so a folder for pieces, of its own."""

    def __init__(self, folder: Path, worker_environment: dict[str, str] | None = None) -> None:
        from ray.cluster_utils import Cluster

        wait_longer()
        _TEMP.mkdir(exist_ok=True)
        os.environ.setdefault("RAY_agent_register_timeout_ms", "300000")
        self._folder, self._more = folder, worker_environment or {}
        self.port = free_port()
        self.cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "include_dashboard": False,
                "ray_client_server_port": self.port,
                "env_vars": self._environment("head"),
            },
        )
        self.nodes: dict[str, Any] = {}

    def _environment(self, name: str) -> dict[str, str]:
        return {"PRUNE_TUI_CACHE": str(self.cache(name)), **self._more}

    def cache(self, name: str) -> Path:
        return self._folder / name

    @property
    def address(self) -> str:
        return f"ray://127.0.0.1:{self.port}"

    def join(self, name: str) -> None:
        """On a busy machine a node may end as it starts: it is tried again."""
        for _ in range(_TRIES):
            try:
                self.nodes[name] = self.cluster.add_node(num_cpus=1, env_vars=self._environment(name))
                return
            except Exception as error:  # Ray raises no other
                print(f"A node did not start: {error}")
                self._end(name)
        raise RuntimeError(f"No node started in {_TRIES} tries.")

    def kill(self, name: str) -> None:
        """As when its power fails: everything of it, at once."""
        self._end(name)
        self.cluster.remove_node(self.nodes.pop(name), allow_graceful=False)

    def _end(self, name: str) -> None:
        found = self.processes(name)
        for act in (psutil.Process.suspend, psutil.Process.kill):
            for process in found:
                with suppress(psutil.Error):
                    act(process)

    def processes(self, name: str) -> list[psutil.Process]:
        return list(_with("PRUNE_TUI_CACHE", str(self.cache(name))))

    def workers(self, name: str | None = None) -> list[psutil.Process]:
        """Those that measure, on a node, or on all."""
        names = list(self.nodes) if name is None else [name]
        return [
            one
            for node in names
            for one in self.processes(node)
            if _WORKERS & {Path(part).name for part in _command(one)}
        ]

    def kill_worker(self, name: str | None = None) -> bool:
        for process in self.workers(name)[:1]:
            with suppress(psutil.Error):
                os.kill(process.pid, signal.SIGKILL)
                return True
        return False

    def shutdown(self) -> None:
        self.cluster.shutdown()
        for name in [*self.nodes, "head"]:
            self._end(name)


def wait_longer() -> None:
    """Ray gives a node half a minute to be known, which is short on a busy machine."""
    from ray._private import services

    ask = services.get_node

    def wait(*arguments: Any) -> Any:
        deadline = time.monotonic() + _STARTS_WITHIN
        while True:
            try:
                return ask(*arguments)
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    services.get_node = wait


def _with(variable: str, value: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(variable) == value:
                yield process


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Wire:
    """A TCP proxy on `port`: while it is `cut`, nothing passes, and nobody is told."""

    def __init__(self, to: int) -> None:
        self._to, self._open = to, threading.Event()
        self._open.set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def cut(self) -> Iterator[None]:
        self._open.clear()
        yield
        self._open.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._server.accept()
                threading.Thread(target=self._carry, args=(here,), daemon=True).start()

    def _carry(self, here: socket.socket) -> None:
        self._open.wait()
        there = socket.create_connection(("127.0.0.1", self._to))
        for one, other in ((here, there), (there, here)):
            threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while came := one.recv(65536):
                self._open.wait()
                other.sendall(came)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._open.set()
        self._server.close()
