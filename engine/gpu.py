"""What the GPUs are doing, read through NVIDIA's management library; without one, the CPU and the memory.

Readings never raise: a GPU that disappears or a driver that errors becomes a reading with a `problem`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any

import psutil
import pynvml

# How long to leave a driver alone that did not answer.
_RETRY_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One device at one moment; what a device does not tell is None.

    `device` is "cpu" or "gpu 0", …; `utilisation` in percent; memory in bytes, `process_memory` that of the worker;
    `power` and `power_limit` in watts; `temperature` in °C; clocks in MHz; `throttled` says what holds the clocks
    down; `problem` says why a device cannot be read (or, for the CPU, why no GPU is shown).
    """

    t: float
    device: str
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

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Reading:
        """From a journal, perhaps of another version: what is not known here is left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{"t": 0.0, "device": "cpu"} | {name: value for name, value in data.items() if name in known})


class Meter:
    """Reads all GPUs, or the CPU where there is none. Not for use in several threads at once.

    `pid` is the process whose share of the memory is told apart (None: none is).
    """

    def __init__(self, pid: int | None = None) -> None:
        self.pid = pid
        self._ready = False
        self._problem: str | None = None
        self._retry_at = 0.0
        psutil.cpu_percent(None)  # the first call has nothing to compare with

    def read(self) -> list[Reading]:
        if not self._ready and time.monotonic() >= self._retry_at:
            self._start()
        if not self._ready:
            return [self._cpu()]
        try:
            count = pynvml.nvmlDeviceGetCount()
        except pynvml.NVMLError as error:
            self._give_up(f"the driver does not answer ({error})")
            return [self._cpu()]
        if not count:
            return [self._cpu("the driver sees no GPU")]
        return [self._gpu(index) for index in range(count)]

    def close(self) -> None:
        if self._ready:
            self._ready = False
            with suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()

    def _start(self) -> None:
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            self._problem = _why(error)
            self._retry_at = time.monotonic() + _RETRY_SECONDS
        else:
            self._ready, self._problem = True, None

    def _give_up(self, problem: str) -> None:
        self.close()
        self._problem = problem
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    def _gpu(self, index: int) -> Reading:
        device, now = f"gpu {index}", round(time.time(), 3)
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        except pynvml.NVMLError as error:
            return Reading(t=now, device=device, problem=f"the GPU cannot be read ({error})")
        ask = _Asker(handle)
        utilisation = ask(pynvml.nvmlDeviceGetUtilizationRates)
        return Reading(
            t=now,
            device=device,
            name=str(ask(pynvml.nvmlDeviceGetName) or ""),
            utilisation=None if utilisation is None else float(utilisation.gpu),
            memory_used=int(memory.used),
            memory_total=int(memory.total),
            process_memory=self._of_process(ask),
            power=_scaled(ask(pynvml.nvmlDeviceGetPowerUsage), 1e-3),
            power_limit=_scaled(ask(pynvml.nvmlDeviceGetEnforcedPowerLimit), 1e-3),
            temperature=_scaled(ask(pynvml.nvmlDeviceGetTemperature, pynvml.NVML_TEMPERATURE_GPU), 1),
            clock=ask(pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_SM),
            clock_max=ask(pynvml.nvmlDeviceGetMaxClockInfo, pynvml.NVML_CLOCK_SM),
            memory_clock=ask(pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_MEM),
            throttled=_throttled(ask(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons)),
        )

    def _of_process(self, ask: _Asker) -> int | None:
        processes = ask(pynvml.nvmlDeviceGetComputeRunningProcesses)
        if self.pid is None or processes is None:
            return None
        return sum(int(one.usedGpuMemory or 0) for one in processes if one.pid == self.pid) or None

    def _cpu(self, problem: str | None = None) -> Reading:
        memory = psutil.virtual_memory()
        process_memory = None
        if self.pid is not None:
            with suppress(psutil.Error):
                process_memory = int(psutil.Process(self.pid).memory_info().rss)
        return Reading(
            t=round(time.time(), 3),
            device="cpu",
            name=f"{psutil.cpu_count()} cores",
            utilisation=psutil.cpu_percent(None),
            memory_used=int(memory.total - memory.available),
            memory_total=int(memory.total),
            process_memory=process_memory,
            problem=problem or self._problem,
        )


class Sampler:
    """Reads once a second in a thread of its own; the readings wait to be taken."""

    def __init__(self, pid: int, *, every: float = 1.0) -> None:
        self._meter = Meter(pid)
        self._every = every
        self._taken: list[Reading] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gpu sampler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take(self) -> list[Reading]:
        """The readings since the last call."""
        with self._lock:
            taken, self._taken = self._taken, []
        return taken

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            readings = self._meter.read()
            with self._lock:
                self._taken += readings
        self._meter.close()


class _Asker:
    """Asks a GPU for one thing; None where it does not know."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def __call__(self, question: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return question(self._handle, *arguments)
        except pynvml.NVMLError:
            return None


_REASONS = (
    ("nvmlClocksThrottleReasonHwThermalSlowdown", "heat"),
    ("nvmlClocksThrottleReasonSwThermalSlowdown", "heat"),
    ("nvmlClocksThrottleReasonHwPowerBrakeSlowdown", "the power supply"),
    ("nvmlClocksThrottleReasonSwPowerCap", "the power limit"),
    ("nvmlClocksThrottleReasonHwSlowdown", "the hardware"),
)


def _throttled(reasons: int | None) -> str | None:
    if not reasons:
        return None
    return next((words for name, words in _REASONS if reasons & getattr(pynvml, name)), None)


def _scaled(number: float | None, factor: float) -> float | None:
    return None if number is None else number * factor


_WHY = {
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: "no NVIDIA driver is installed",
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: "the NVIDIA driver is not loaded",
    pynvml.NVML_ERROR_NO_PERMISSION: "no permission to ask the NVIDIA driver",
}


def _why(error: pynvml.NVMLError) -> str:
    return _WHY.get(getattr(error, "value", 0), f"the NVIDIA driver does not answer ({error})")
