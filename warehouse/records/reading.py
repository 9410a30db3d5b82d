"""What one device was doing at one moment: sampled beside a run, shown and kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One device at one moment; what a device does not tell is None.

    `device` is "cpu" or "gpu 0", …; `utilisation` in percent; memory in bytes, `process_memory` that of the worker
    (in a container drivers do not tell it); `power` and `power_limit` in watts; `temperature` in °C; clocks in MHz;
    `throttled` says what holds the clocks down; `problem` says why a device cannot be read (or, for the CPU, why no
    GPU is shown).
    """

    t: float = 0.0
    device: str = "cpu"
    name: str = ""
    utilisation: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    process_memory: int | None = None
    power: float | None = None
    power_limit: float | None = None
    temperature: float | None = None
    clock: int | None = None
    clock_max: int | None = None
    memory_clock: int | None = None
    throttled: str | None = None
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Without what is not known."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}

    @property
    def memory_free(self) -> int | None:
        if self.memory_used is None or self.memory_total is None:
            return None
        return self.memory_total - self.memory_used
