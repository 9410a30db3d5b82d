"""What the GPUs are doing, read through NVIDIA's management library; without one, the CPU and the memory.

Readings never raise: a GPU that disappears or a driver that errors becomes a reading with a `problem`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import psutil
import pynvml

from warehouse.records.reading import Reading

# How long to leave a driver alone that did not answer.
_RETRY_SECONDS = 10.0


@dataclass(slots=True)
class _Card:
    """A GPU that was seen. It keeps its first number: the driver counts anew when another one falls out of its list."""

    number: int
    uuid: str | None = None  # None: it never told
    name: str = ""

    @property
    def device(self) -> str:
        return f"gpu {self.number}"


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that computes on a GPU; `memory` in bytes, None where the driver does not tell it."""

    device: str
    pid: int
    name: str
    memory: int | None


class Meter:
    """Reads all GPUs, or the CPU where there is none. Not for use in several threads at once.

    `pid` is the process whose share of the memory is told apart (None: none is).
    """

    def __init__(self, pid: int | None = None) -> None:
        self.pid = pid
        self._ready = False
        self._problem: str | None = None
        self._retry_at = 0.0
        self._cards: list[_Card] = []  # the GPUs that were seen
        psutil.cpu_percent(None)  # the first call has nothing to compare with

    def read(self) -> list[Reading]:
        if not self._ready and time.monotonic() >= self._retry_at:
            self._start()
        if not self._ready:
            return [self.cpu()]
        try:
            count = pynvml.nvmlDeviceGetCount()
        except pynvml.NVMLError as error:
            self._give_up(f"the driver does not answer ({error})")
            return [self.cpu()]
        if not count and not self._cards:
            return [self.cpu("the driver sees no GPU")]
        listed = self._listed(count)
        readings = _shared([self._gpu(card, handle) for card, handle in listed])
        by_number = {card.number: reading for (card, _), reading in zip(listed, readings, strict=True)}
        by_number |= {card.number: _gone(card) for card in self._cards if card.number not in by_number}
        return [by_number[number] for number in sorted(by_number)]

    def processes(self) -> list[GpuProcess]:
        """Who computes on the GPUs, as far as the driver tells: in a container it tells of none, or of strangers."""
        if not self._ready:
            return []
        found: list[GpuProcess] = []
        with suppress(pynvml.NVMLError):
            for card, handle in self._listed(pynvml.nvmlDeviceGetCount()):
                if isinstance(handle, pynvml.NVMLError):
                    continue
                for one in _Asker(handle)(pynvml.nvmlDeviceGetComputeRunningProcesses) or ():
                    found.append(GpuProcess(card.device, one.pid, _process_name(one.pid), one.usedGpuMemory))
        return found

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

    def _listed(self, count: int) -> list[tuple[_Card, Any]]:
        """The GPUs that the driver lists, each with its handle, or with the error that came instead."""
        handles = [_handle(index) for index in range(count)]
        uuids = [_uuid(handle) for handle in handles]
        cards: list[_Card] = []
        for index, uuid in enumerate(uuids):
            missing = [card for card in self._cards if card not in cards and (not card.uuid or card.uuid not in uuids)]
            cards.append(self._card(index, uuid, missing))
        return list(zip(cards, handles, strict=True))

    def _card(self, index: int, uuid: str | None, missing: Sequence[_Card]) -> _Card:
        """The GPU of that UUID; where that is not told, now or before, a missing one, best of that number."""
        if known := next((card for card in self._cards if uuid and card.uuid == uuid), None):
            return known
        likely = [card for card in missing if not uuid or not card.uuid]
        card = next((card for card in likely if card.number == index), likely[0] if likely and not uuid else None)
        if card is None:
            numbers = {card.number for card in self._cards}
            card = _Card(next(number for number in (index, *range(len(numbers) + 1)) if number not in numbers))
            self._cards.append(card)
        card.uuid = card.uuid or uuid
        return card

    def _gpu(self, card: _Card, handle: Any) -> Reading:
        now = round(time.time(), 3)
        if isinstance(handle, pynvml.NVMLError):
            return Reading(t=now, device=card.device, name=card.name, problem=_gpu_problem(handle))
        ask = _Asker(handle)
        card.name = str(ask(pynvml.nvmlDeviceGetName) or card.name)
        memory = ask(pynvml.nvmlDeviceGetMemoryInfo)  # not told where the GPU has none of its own
        utilisation = ask(pynvml.nvmlDeviceGetUtilizationRates)
        reading = Reading(
            t=now,
            device=card.device,
            name=card.name,
            utilisation=None if utilisation is None else float(utilisation.gpu),
            memory_used=None if memory is None else int(memory.used),
            memory_total=None if memory is None else int(memory.total),
            process_memory=self._of_process(ask),
            power=_scaled(ask(pynvml.nvmlDeviceGetPowerUsage), 1e-3),
            power_limit=_scaled(ask(pynvml.nvmlDeviceGetEnforcedPowerLimit), 1e-3),
            temperature=_scaled(ask(pynvml.nvmlDeviceGetTemperature, pynvml.NVML_TEMPERATURE_GPU), 1),
            clock=ask(pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_SM),
            clock_max=ask(pynvml.nvmlDeviceGetMaxClockInfo, pynvml.NVML_CLOCK_SM),
            memory_clock=ask(pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_MEM),
            throttled=_throttled(ask(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons)),
        )
        return replace(reading, problem=ask.problem)

    def _of_process(self, ask: _Asker) -> int | None:
        """None where the driver lists no process with our id, as in a container, or not what it holds."""
        processes = ask(pynvml.nvmlDeviceGetComputeRunningProcesses)
        if self.pid is None or processes is None:
            return None
        held = [one.usedGpuMemory for one in processes if one.pid == self.pid]
        return None if not held or None in held else sum(held)

    def cpu(self, problem: str | None = None) -> Reading:
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


def _process_name(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return "of another container"


def machine() -> list[Reading]:
    """Each GPU and the CPU, once."""
    meter = Meter()
    try:
        readings = meter.read()
        return readings if readings[-1].device == "cpu" else [*readings, meter.cpu()]
    finally:
        meter.close()


def driver_version() -> str | None:
    try:
        pynvml.nvmlInit()
        version = str(pynvml.nvmlSystemGetDriverVersion())
        pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return None
    return version


class _Asker:
    """Asks a GPU for one thing after the other; None where it does not know. `problem`: why it may know nothing."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._answered = False
        self._error: pynvml.NVMLError | None = None
        self._lost: pynvml.NVMLError | None = None

    def __call__(self, question: Callable[..., Any], *arguments: Any) -> Any:
        try:
            answer = question(self._handle, *arguments)
        except pynvml.NVMLError as error:
            self._error = error
            if getattr(error, "value", None) in _GPU_PROBLEMS:
                self._lost = error
            return None
        self._answered = True
        return answer

    @property
    def problem(self) -> str | None:
        error = self._lost or (None if self._answered else self._error)
        return None if error is None else _gpu_problem(error)


def _handle(index: int) -> Any:
    try:
        return pynvml.nvmlDeviceGetHandleByIndex(index)
    except pynvml.NVMLError as error:
        return error


def _uuid(handle: Any) -> str | None:
    if isinstance(handle, pynvml.NVMLError):
        return None
    return _Asker(handle)(pynvml.nvmlDeviceGetUUID)


def _gone(card: _Card) -> Reading:
    return Reading(
        t=round(time.time(), 3),
        device=card.device,
        name=card.name,
        problem="the GPU is lost: the driver does not list it any more",
    )


def _shared(readings: list[Reading]) -> list[Reading]:
    """Where the driver knows the worker on one GPU, the worker has nothing on those where it does not."""
    if all(reading.process_memory is None for reading in readings):
        return readings
    return [
        replace(reading, process_memory=0) if reading.process_memory is None and reading.problem is None else reading
        for reading in readings
    ]


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
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "the NVIDIA driver was updated while it was loaded: restart the machine",
}
_GPU_PROBLEMS = {
    pynvml.NVML_ERROR_GPU_IS_LOST: "the GPU is lost: it does not answer the driver any more",
    pynvml.NVML_ERROR_RESET_REQUIRED: "the GPU has to be reset before it works again",
}


def _why(error: pynvml.NVMLError) -> str:
    return _WHY.get(getattr(error, "value", 0), f"the NVIDIA driver does not answer ({error})")


def _gpu_problem(error: pynvml.NVMLError) -> str:
    return _GPU_PROBLEMS.get(getattr(error, "value", 0), f"the GPU cannot be read ({error})")
