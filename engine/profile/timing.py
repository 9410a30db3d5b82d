"""Time that a device takes, by its own clock where it has one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import torch


class Timer(Protocol):
    """Takes the time between marks: `start`, any number of `mark`, then `seconds`."""

    name: str

    def start(self) -> None: ...

    def mark(self) -> None: ...

    def seconds(self) -> list[float]:
        """From each mark to the next; waits for the device."""
        ...

    def finish(self) -> None:
        """Wait until the device has done what it was given."""
        ...


def timer_of(device: torch.device) -> Timer:
    return CudaTimer() if device.type == "cuda" else ClockTimer(device)


class CudaTimer:
    """CUDA events: the device's own time, of what the current stream was given."""

    name = "CUDA events"

    def __init__(self) -> None:
        self._events: list[torch.cuda.Event] = []

    def start(self) -> None:
        self._events = []
        torch.cuda.synchronize()
        self.mark()

    def mark(self) -> None:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        self._events.append(event)

    def seconds(self) -> list[float]:
        self.finish()
        pairs = zip(self._events, self._events[1:], strict=False)
        return [before.elapsed_time(after) / 1000 for before, after in pairs]

    def finish(self) -> None:
        torch.cuda.synchronize()


class ClockTimer:
    """The process's clock; a device that works by itself is waited for at each mark."""

    name = "perf_counter"

    def __init__(self, device: torch.device, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._wait: Callable[[], None] = torch.mps.synchronize if device.type == "mps" else lambda: None
        self._marks: list[float] = []

    def start(self) -> None:
        self._marks = []
        self.mark()

    def mark(self) -> None:
        self._wait()
        self._marks.append(self._now())

    def seconds(self) -> list[float]:
        return [after - before for before, after in zip(self._marks, self._marks[1:], strict=False)]

    def finish(self) -> None:
        self._wait()
