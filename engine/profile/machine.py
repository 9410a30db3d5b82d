"""The machine that a profile runs on: how fast it copies and multiplies, what it draws idle, and how it stands."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pynvml
import torch

from engine.gpu import Meter
from engine.profile.energy import EnergySource, idle_power
from engine.profile.sources import FoundSource, cpu_source, gpu_source
from engine.profile.timing import Timer, timer_of
from warehouse.records.measurements import MachineFacts
from warehouse.records.reading import Reading

_GPU_COPY, _CPU_COPY = 1 << 30, 1 << 26  # bytes, beyond the caches
_GPU_MATRIX, _CPU_MATRIX = 8192, 768
_GPU_IDLE, _CPU_IDLE = 2.0, 0.2  # seconds
_TIMES = 7


@dataclass(slots=True)
class Machine:
    """What the levels' figures are held against; `source` is None where no energy is read, `window` the least
    seconds that it has to be watched for."""

    facts: MachineFacts
    source: EnergySource | None
    window: float
    meter: Meter
    uuid: str | None

    def reading(self) -> Reading | None:
        """The device at this moment; None where it cannot be read."""
        return _own(self.meter.read(), self.uuid)


def measured_machine(device: torch.device, dtype: torch.dtype, *, energy: bool, check: Callable[[], None]) -> Machine:
    """Measure the machine, before any level; nothing that cannot be measured raises."""
    on_gpu = device.type == "cuda"
    properties: Any = torch.cuda.get_device_properties(device) if on_gpu else None
    uuid = f"GPU-{properties.uuid}" if on_gpu else None
    timer = timer_of(device)
    meter = Meter()
    start = _own(meter.read(), uuid)
    if not energy:
        found = FoundSource(None, "energy was not asked for")
    elif device.type not in ("cuda", "cpu"):
        found = FoundSource(None, f"nothing tells the energy of '{device.type}'")
    else:
        found = gpu_source(uuid) if uuid is not None else cpu_source()
    idle, missing, window = None, found.missing, 0.0
    if found.source is not None:
        timer.finish()
        rest = idle_power(found.source, seconds=_GPU_IDLE if on_gpu else _CPU_IDLE)
        idle, window = rest.power.watts, rest.window
        missing = None if idle is not None else f"no net energy, as idle power is not known: {rest.power.missing}"
    check()
    copy_rate, matrix_rate, rates_missing = None, None, None
    try:
        copy_rate = copying(device, timer, _GPU_COPY if on_gpu else _CPU_COPY)
        check()
        matrix_rate = multiplying(device, dtype, timer, _GPU_MATRIX if on_gpu else _CPU_MATRIX)
    except RuntimeError as error:  # torch's for all that a device cannot do, out of memory included
        rates_missing = f"the machine's rates cannot be measured: {str(error).splitlines()[0]}"
    facts = MachineFacts(
        device=str(properties.name) if on_gpu else processor(),
        dtype=str(dtype).removeprefix("torch."),
        timer=timer.name,
        copy_rate=copy_rate,
        matrix_rate=matrix_rate,
        idle_power=idle,
        power_limit=start.power_limit if start else None,
        temperature=start.temperature if start else None,
        clock=start.clock if start else None,
        clock_max=start.clock_max if start else None,
        throttled=start.throttled if start else None,
        energy_source=found.source.name if found.source else None,
        energy_missing=missing,
        rates_missing=rates_missing,
    )
    return Machine(facts, found.source, window, meter, uuid)


def copying(device: torch.device, timer: Timer, size: int) -> float:
    """Bytes a second of a copy of `size` bytes: read and written ones count."""
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / _best(timer, lambda: target.copy_(source))


def multiplying(device: torch.device, dtype: torch.dtype, timer: Timer, n: int) -> float:
    """Operations a second of a product of two n × n matrices."""
    left = torch.randn(n, n, device=device).to(dtype)
    right = torch.randn(n, n, device=device).to(dtype)
    out = torch.empty_like(left)
    return 2 * n**3 / _best(timer, lambda: torch.matmul(left, right, out=out))


def processor(info: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = info.read_text().splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def _best(timer: Timer, work: Callable[[], object]) -> float:
    """Seconds: the median of a few, after two that do not count."""
    for _ in range(2):
        work()
    times = []
    for _ in range(_TIMES):
        timer.start()
        work()
        timer.mark()
        times += timer.seconds()
    return median(times)


def _own(readings: list[Reading], uuid: str | None) -> Reading | None:
    """Of all GPUs the one that is worked on, by the order of the driver's list."""
    if uuid is None:
        return next((one for one in readings if one.device == "cpu"), None)
    gpus = [one for one in readings if one.device != "cpu" and one.problem is None]
    number = _index_of(uuid)
    return next((one for one in gpus if number is not None and one.device == f"gpu {number}"), None)


def _index_of(uuid: str) -> int | None:
    try:
        return int(pynvml.nvmlDeviceGetIndex(pynvml.nvmlDeviceGetHandleByUUID(uuid)))
    except pynvml.NVMLError:
        return None
