"""Waiting for the device, and doing something else meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import torch

# Does a little of something else, a few milliseconds, and says whether there was any.
Idle = Callable[[], bool]


def nothing_else() -> bool:
    return False


def wait_for(event: torch.cuda.Event, idle: Idle) -> None:
    """Until the device has come to an event, while `idle` is asked again and again."""
    while not event.query() and idle():
        pass
    event.synchronize()
