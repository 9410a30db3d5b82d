"""The GPU panel and what feeds it: drivers that answer, that do not, and that stop answering."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pynvml
import pytest
from textual.app import App

from engine.gpu import Meter, Reading, Sampler
from tui.widgets.gpu_panel import GpuPanel, graph

GIB = 2**30
H100 = Reading(
    t=100.0, device="gpu 0", name="NVIDIA H100 80GB HBM3", utilisation=87.0, memory_used=41 * GIB,
    memory_total=80 * GIB, process_memory=40 * GIB, power=612.4, power_limit=700.0, temperature=64.0, clock=1755,
    clock_max=1980, memory_clock=2619, throttled="the power limit",
)  # fmt: skip


class PanelApp(App[None]):
    def compose(self):
        yield GpuPanel()


class FakeDriver:
    """NVML with one GPU, whose answers a test can spoil."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken: set[str] = set()
        answers = {
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetCount": lambda: 1,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=41 * GIB, total=80 * GIB),
            "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=87, memory=40),
            "nvmlDeviceGetName": lambda handle: "NVIDIA H100 80GB HBM3",
            "nvmlDeviceGetPowerUsage": lambda handle: 612_400,
            "nvmlDeviceGetEnforcedPowerLimit": lambda handle: 700_000,
            "nvmlDeviceGetTemperature": lambda handle, sensor: 64,
            "nvmlDeviceGetClockInfo": lambda handle, clock: 1755 if clock == pynvml.NVML_CLOCK_SM else 2619,
            "nvmlDeviceGetMaxClockInfo": lambda handle, clock: 1980,
            "nvmlDeviceGetCurrentClocksThrottleReasons": lambda handle: pynvml.nvmlClocksThrottleReasonSwPowerCap,
            "nvmlDeviceGetComputeRunningProcesses": lambda handle: [
                SimpleNamespace(pid=42, usedGpuMemory=40 * GIB),
                SimpleNamespace(pid=7, usedGpuMemory=GIB),
            ],
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, name, self._asked(name, answer))

    def _asked(self, name, answer):
        def ask(*arguments):
            if name in self.broken:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
            return answer(*arguments)

        return ask


def test_a_gpu_is_read_with_the_memory_of_the_worker_told_apart(monkeypatch):
    FakeDriver(monkeypatch)
    (reading,) = Meter(pid=42).read()
    assert reading == replace(H100, t=reading.t)


def test_what_a_gpu_does_not_know_is_left_out(monkeypatch):
    FakeDriver(monkeypatch).broken |= {"nvmlDeviceGetPowerUsage", "nvmlDeviceGetUtilizationRates"}
    (reading,) = Meter().read()
    assert (reading.power, reading.utilisation, reading.temperature) == (None, None, 64.0)


def test_a_gpu_that_falls_off_the_bus_is_said_to_be_lost(monkeypatch):
    FakeDriver(monkeypatch).broken.add("nvmlDeviceGetHandleByIndex")
    (reading,) = Meter().read()
    assert "cannot be read" in (reading.problem or "")


def test_a_driver_that_stops_answering_gives_way_to_the_cpu_and_is_asked_again_later(monkeypatch):
    driver = FakeDriver(monkeypatch)
    meter = Meter()
    assert meter.read()[0].device == "gpu 0"
    driver.broken.add("nvmlDeviceGetCount")
    (reading,) = meter.read()
    assert reading.device == "cpu"
    assert "the driver does not answer" in (reading.problem or "")
    driver.broken.clear()
    assert meter.read()[0].device == "cpu"
    monkeypatch.setattr(meter, "_retry_at", 0.0)
    assert meter.read()[0].device == "gpu 0"


def test_without_a_driver_the_cpu_is_read_and_the_reason_said(monkeypatch):
    def missing():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    (reading,) = Meter().read()
    assert reading.device == "cpu"
    assert reading.problem == "no NVIDIA driver is installed"
    assert reading.memory_total


def test_readings_survive_the_journal():
    assert Reading.from_dict(H100.to_dict() | {"of a newer version": 1}) == H100


def test_the_sampler_reads_in_its_own_thread():
    sampler = Sampler(pid=1, every=0.01)
    sampler.start()
    deadline = 200
    taken: list[Reading] = []
    while len(taken) < 3 and deadline:
        sampler._ended.wait(0.01)
        taken += sampler.take()
        deadline -= 1
    sampler.stop()
    assert len(taken) >= 3


async def test_numbers_and_graph_of_a_gpu():
    app = PanelApp()
    async with app.run_test(size=(60, 14)) as pilot:
        await app.query_one(GpuPanel).show([H100])
        await pilot.pause()
        text = str(app.query_one(".numbers").render())  # pyright: ignore[reportAttributeAccessIssue]
    for part in (
        "GPU 0  NVIDIA H100 80GB HBM3", "use  87%", "41.0 GiB of 80.0 GiB, run 40.0 GiB", "612/700 W", "64 °C",
        "1755/1980 MHz", "mem 2619 MHz", "slowed down by the power limit",
    ):  # fmt: skip
        assert part in text


async def test_a_gpu_that_is_not_read_any_more_gives_way(monkeypatch):
    app = PanelApp()
    async with app.run_test(size=(60, 14)) as pilot:
        panel = app.query_one(GpuPanel)
        await panel.show([H100])
        lost = Reading(t=200.0, device="cpu", utilisation=5.0, problem="the driver does not answer (GPU is lost)")
        await panel.show([H100, lost])
        await pilot.pause()
        text = str(app.query_one(".numbers").render())  # pyright: ignore[reportAttributeAccessIssue]
    assert "the driver does not answer" in text
    assert panel.border_title == "CPU (no GPU)"


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([0, 100], "   █\n  ▁█"),
        ([50, 50, 50, 50], "    \n████"),
        ([0, 0, 0, 0, 100, 0, 0, 0], "  █ \n▁▁█▁"),
        ([], "    \n    "),
    ],
)
def test_the_graph_has_a_fixed_scale_and_its_newest_value_at_the_right(values, drawn):
    assert graph(values, width=4, height=2) == drawn
