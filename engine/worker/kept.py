"""What a worker process keeps from one run to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.worker.stopping import StopFlag
from engine.worker.task_link import TaskProcess


@dataclass(slots=True)
class Kept:
    """Attributes:
    stays: there may be another run after this one.
    runs: how many were worked on before.
    tasks: the process for tasks, if the run before has left it whole.
    batch_tokens: what a batch was first found to have room for, by what that depends on. A device has a little less
        free memory in a process that has worked before, and other batches are other sums.
    stop: of the run that is worked on.
    """

    stays: bool = False
    runs: int = 0
    tasks: TaskProcess | None = None
    batch_tokens: dict[Any, int] = field(default_factory=dict[Any, int])
    stop: StopFlag = field(default_factory=StopFlag)
