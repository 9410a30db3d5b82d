"""How much of a model's weights has arrived in memory: who loads them does not tell."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import psutil
import torch

from engine.worker.records import Report

_EVERY = 1.0  # seconds


class Arriving:
    """Reports once a second how many of `size` bytes the device's memory has taken since the block began.

    On a GPU these are the tensors that lie there; elsewhere what the process has come to occupy, about as much.
    """

    def __init__(self, device: torch.device, size: int, report: Report) -> None:
        self._occupied = _occupied(device)
        self._size = size
        self._report = report
        self._ended = Event()
        self._thread = Thread(target=self._run, name="weights", daemon=True)

    def __enter__(self) -> None:
        self._before = self._occupied()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_EVERY):
            self._report(min(max(self._occupied() - self._before, 0), self._size), self._size)


def _occupied(device: torch.device) -> Callable[[], int]:
    if device.type == "cuda":
        return lambda: torch.cuda.memory_allocated(device)
    process = psutil.Process()
    return lambda: process.memory_info().rss
