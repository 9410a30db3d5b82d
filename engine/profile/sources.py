"""Where energy can be read on this machine: NVML's counter, else its power; of a processor RAPL where that is readable.

NVML is read directly, and not by a library that reads the same counter: docs/adr/0013-energy-is-read-directly.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pynvml

from engine.profile.energy import EnergySource

RAPL = Path("/sys/class/powercap")
_POLL_SECONDS = 0.02


@dataclass(slots=True)
class _Nvml:
    """One of NVML's answers about a GPU, in joules or watts."""

    name: str
    kind: Literal["counter", "power"]
    ask: Callable[[Any], int]
    handle: Any
    wraps_at: float | None = None  # 64 bits of millijoules
    every: float = _POLL_SECONDS

    def read(self) -> float:
        try:
            return self.ask(self.handle) / 1000
        except pynvml.NVMLError as error:
            raise OSError(str(error)) from error


@dataclass(slots=True)
class Rapl:
    """The energy counters of the processors' packages, added up."""

    packages: tuple[Path, ...]
    wraps_at: float | None
    name: str = "RAPL"
    kind: Literal["counter", "power"] = "counter"
    every: float = _POLL_SECONDS

    def read(self) -> float:
        try:
            return sum(int((package / "energy_uj").read_text()) for package in self.packages) / 1e6
        except ValueError as error:
            raise OSError(f"{error}") from error


@dataclass(frozen=True, slots=True)
class FoundSource:
    """A source of energy, or why there is none."""

    source: EnergySource | None
    missing: str | None = None


def gpu_source(uuid: str) -> FoundSource:
    """Of the GPU with this UUID, as NVML spells it."""
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
    except pynvml.NVMLError as error:
        return FoundSource(None, f"NVIDIA's management library does not answer: {error}")
    counter = _Nvml("NVML's energy counter", "counter", pynvml.nvmlDeviceGetTotalEnergyConsumption, handle)
    power = _Nvml("power sampled from NVML every 20 ms", "power", pynvml.nvmlDeviceGetPowerUsage, handle)
    problem = ""
    for source in (counter, power):
        try:
            source.read()
        except OSError as error:
            problem = str(error)
        else:
            return FoundSource(source)
    return FoundSource(None, f"this GPU reports neither energy nor power: {problem}")


def cpu_source(folder: Path = RAPL) -> FoundSource:
    """Of the processors of this machine, the other programs' work included."""
    packages = tuple(sorted(path for path in folder.glob("intel-rapl:*") if path.name.count(":") == 1))
    if not packages:
        return FoundSource(None, "this machine shows no energy counter of its processors (RAPL)")
    try:
        ranges = [int((package / "max_energy_range_uj").read_text()) / 1e6 for package in packages]
        # The sum of several counters has no one turn: a step back is then said to be one.
        source = Rapl(packages, ranges[0] if len(ranges) == 1 else None)
        source.read()
    except PermissionError:
        return FoundSource(None, "the processors' energy counter (RAPL) may be read by the administrator only")
    except (OSError, ValueError) as error:
        return FoundSource(None, f"the processors' energy counter (RAPL) cannot be read: {error}")
    return FoundSource(source)
