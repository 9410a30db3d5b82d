"""The GPU panel and what feeds it: drivers that answer, that do not, and that stop answering."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from types import SimpleNamespace

import pynvml
import pytest
from textual.app import App
from textual.widgets import Static

from engine.gpu import GpuProcess, Meter, Sampler, driver_version, machine
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.rundir import RunDir
from engine.worker.recorder import Recorder
from tui.runs.gpu_panel import DevicePanel, GpuPanel, graph
from tui.runs.usage import Usage
from warehouse.records.events import Finished, GpuSamples, of_kind
from warehouse.records.level import Level
from warehouse.records.reading import Reading
from warehouse.records.values import read

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
    """NVML with some GPUs, whose answers a test can spoil: all of them, or those of one GPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, gpus: int = 1) -> None:
        self.listed = list(range(gpus))  # the GPUs, told apart by their handles, as the driver counts them
        self.broken: dict[str, int] = {}  # NVML's error by the name of the question
        self.lost: set[int] = set()
        self.processes: dict[int, list[SimpleNamespace]] = {
            0: [SimpleNamespace(pid=42, usedGpuMemory=40 * GIB), SimpleNamespace(pid=7, usedGpuMemory=GIB)]
        }
        answers = {
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlSystemGetDriverVersion": lambda: "580.65",
            "nvmlDeviceGetCount": lambda: len(self.listed),
            "nvmlDeviceGetHandleByIndex": lambda index: self.listed[index],
            "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
            "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=41 * GIB, total=80 * GIB),
            "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=87, memory=40),
            "nvmlDeviceGetName": lambda handle: "NVIDIA H100 80GB HBM3",
            "nvmlDeviceGetPowerUsage": lambda handle: 612_400,
            "nvmlDeviceGetEnforcedPowerLimit": lambda handle: 700_000,
            "nvmlDeviceGetTemperature": lambda handle, sensor: 64,
            "nvmlDeviceGetClockInfo": lambda handle, clock: 1755 if clock == pynvml.NVML_CLOCK_SM else 2619,
            "nvmlDeviceGetMaxClockInfo": lambda handle, clock: 1980,
            "nvmlDeviceGetCurrentClocksThrottleReasons": lambda handle: pynvml.nvmlClocksThrottleReasonSwPowerCap,
            "nvmlDeviceGetComputeRunningProcesses": lambda handle: self.processes.get(handle, []),
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, name, self._asked(name, answer))

    def refuse(self, *questions: str, error: int = pynvml.NVML_ERROR_NOT_SUPPORTED) -> None:
        self.broken |= dict.fromkeys(questions, error)

    def _asked(self, name, answer):
        def ask(*arguments):
            if (error := self.broken.get(name)) is not None:  # asked once: other threads read meanwhile
                raise pynvml.NVMLError(error)
            handle = self.listed[arguments[0]] if name == "nvmlDeviceGetHandleByIndex" else next(iter(arguments), None)
            if name.startswith("nvmlDeviceGet") and handle in self.lost:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
            return answer(*arguments)

        return ask


async def shown(*readings: Reading, size: tuple[int, int] = (80, 24)) -> list[str]:
    """What the panel says of each device, its words a space apart."""
    app = PanelApp()
    async with app.run_test(size=size) as pilot:
        await app.query_one(GpuPanel).show(readings)
        await pilot.pause()
        return [words(static) for static in app.query(".numbers").results(Static)]


def words(static: Static) -> str:
    """Without the histories, and a space between words."""
    text = re.sub(r"[▁▂▃▄▅▆▇█]", "", str(static.render()))
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_a_gpu_is_read_with_the_memory_of_the_worker_told_apart(monkeypatch):
    FakeDriver(monkeypatch)
    (reading,) = Meter(pid=42).read()
    assert reading == replace(H100, t=reading.t)


@pytest.mark.parametrize(
    ("refused", "gone", "stays"),
    [
        ("nvmlDeviceGetMemoryInfo", "memory", ["use 87%", "run 40.0 GiB", "power 612/700 W\nheat 64 °C"]),
        ("nvmlDeviceGetUtilizationRates", "use", ["memory 51%", "612/700 W"]),
        ("nvmlDeviceGetPowerUsage", "power", ["use 87%", "\nheat 64 °C\nrun 50% 40.0 GiB · 1755/1980 MHz"]),
        ("nvmlDeviceGetTemperature", "temperature", ["\npower 612/700 W\nrun 50% 40.0 GiB · 1755/1980 MHz"]),
        ("nvmlDeviceGetClockInfo", "clock, memory clock", ["612/700 W\nheat 64 °C"]),
        ("nvmlDeviceGetComputeRunningProcesses", "the run's memory", ["41.0/80.0 GiB\n"]),
    ],
)
@pytest.mark.parametrize("error", [pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_UNKNOWN])
async def test_what_a_gpu_does_not_tell_is_named_and_the_rest_stays(monkeypatch, refused, gone, stays, error):
    FakeDriver(monkeypatch).refuse(refused, error=error)
    (text,) = await shown(*Meter(pid=42).read())
    assert text.endswith(f"\n{gone} not reported")
    for part in stays:
        assert part in text


@pytest.mark.parametrize(
    ("refused", "stays"),
    [
        ("nvmlDeviceGetEnforcedPowerLimit", "612 W"),
        ("nvmlDeviceGetMaxClockInfo", "1755 MHz"),
        ("nvmlDeviceGetName", "GPU 0\nuse"),
        ("nvmlDeviceGetCurrentClocksThrottleReasons", "memory 2619 MHz"),
    ],
)
async def test_what_is_an_extra_is_left_out_without_a_word(monkeypatch, refused, stays):
    FakeDriver(monkeypatch).refuse(refused)
    (text,) = await shown(*Meter(pid=42).read())
    assert stays in text
    assert "not reported" not in text


@pytest.mark.parametrize(
    "processes",
    [[], [SimpleNamespace(pid=913_577, usedGpuMemory=40 * GIB)], [SimpleNamespace(pid=42, usedGpuMemory=None)]],
    ids=["none listed", "ids of the host", "no memory told"],
)
async def test_in_a_container_the_share_of_the_run_is_not_reported(monkeypatch, processes):
    FakeDriver(monkeypatch).processes[0] = processes
    (text,) = await shown(*Meter(pid=42).read())
    assert "41.0/80.0 GiB\n" in text
    assert text.endswith("the run's memory not reported")


async def test_of_two_gpus_the_one_the_run_does_not_use_shows_nothing_of_it(monkeypatch):
    FakeDriver(monkeypatch, gpus=2)
    first, second = Meter(pid=42).read()
    assert (first.process_memory, second.process_memory) == (40 * GIB, 0)
    used, idle = await shown(first, second)
    assert "run 50%" in used
    assert "run " not in idle
    assert "not reported" not in idle


async def test_a_gpu_that_falls_off_the_bus_is_said_to_be_lost_and_the_other_goes_on(monkeypatch):
    driver, meter = FakeDriver(monkeypatch, gpus=2), Meter(pid=42)
    before = meter.read()
    driver.lost.add(1)
    first, second = await shown(*before, *meter.read())
    assert "use 87%" in first
    assert "lost" not in first
    assert second == "GPU 1 NVIDIA H100 80GB HBM3\n! the GPU is lost: it does not answer the driver any more"


async def test_a_gpu_that_is_lost_between_two_questions_keeps_what_it_answered(monkeypatch):
    FakeDriver(monkeypatch).refuse("nvmlDeviceGetPowerUsage", error=pynvml.NVML_ERROR_GPU_IS_LOST)
    (text,) = await shown(*Meter(pid=42).read())
    assert "use 87%" in text
    assert "the GPU is lost" in text


async def test_a_gpu_that_the_driver_does_not_list_any_more_is_not_passed_over(monkeypatch):
    driver, meter = FakeDriver(monkeypatch, gpus=2), Meter(pid=42)
    meter.read()
    driver.listed = [0]
    first, second = await shown(*meter.read())
    assert "use 87%" in first
    assert second == "GPU 1 NVIDIA H100 80GB HBM3\n! the GPU is lost: the driver does not list it any more"
    driver.listed = [0, 1]
    assert [reading.problem for reading in meter.read()] == [None, None]


async def test_a_gpu_keeps_its_number_when_the_driver_counts_anew(monkeypatch):
    driver, meter = FakeDriver(monkeypatch, gpus=3), Meter(pid=42)
    meter.read()
    driver.listed = [1, 2]  # the first, on which the run works, is gone
    lost, second, third = meter.read()
    assert [reading.device for reading in (lost, second, third)] == ["gpu 0", "gpu 1", "gpu 2"]
    assert lost.problem == "the GPU is lost: the driver does not list it any more"
    assert (second.problem, second.utilisation) == (None, 87.0)
    assert (third.problem, third.utilisation) == (None, 87.0)
    driver.listed = [2, 0, 1]  # it is back, and they are counted in another order
    used, *idle = meter.read()
    assert (used.device, used.process_memory) == ("gpu 0", 40 * GIB)
    assert [(reading.device, reading.process_memory) for reading in idle] == [("gpu 1", 0), ("gpu 2", 0)]


def test_a_gpu_that_is_added_gets_a_number_of_its_own(monkeypatch):
    driver, meter = FakeDriver(monkeypatch, gpus=2), Meter()
    meter.read()
    driver.listed = [5, 0, 1]
    assert [(reading.device, reading.problem) for reading in meter.read()] == [
        ("gpu 0", None), ("gpu 1", None), ("gpu 2", None),
    ]  # fmt: skip


@pytest.mark.parametrize("first_time", [True, False], ids=["from the start", "later"])
def test_a_gpu_that_does_not_tell_its_uuid_is_known_by_its_number(monkeypatch, first_time):
    driver, meter = FakeDriver(monkeypatch, gpus=2), Meter()
    if not first_time:
        meter.read()
    driver.refuse("nvmlDeviceGetUUID")
    assert [reading.device for reading in meter.read()] == ["gpu 0", "gpu 1"]
    driver.lost.add(1)
    driver.broken.clear()
    lost = "the GPU is lost: it does not answer the driver any more"
    assert [(reading.device, reading.problem) for reading in meter.read()] == [("gpu 0", None), ("gpu 1", lost)]
    driver.lost.clear()
    assert [(reading.device, reading.problem) for reading in meter.read()] == [("gpu 0", None), ("gpu 1", None)]


async def test_a_gpu_that_answers_nothing_says_why(monkeypatch):
    questions = [name for name in vars(pynvml) if name.startswith("nvmlDeviceGet")]
    driver = FakeDriver(monkeypatch)
    driver.refuse(*questions, error=pynvml.NVML_ERROR_UNKNOWN)
    del driver.broken["nvmlDeviceGetHandleByIndex"], driver.broken["nvmlDeviceGetCount"]
    (text,) = await shown(*Meter(pid=42).read())
    assert text == "GPU 0\n! the GPU cannot be read (Unknown Error)"


def test_a_driver_that_stops_answering_gives_way_to_the_cpu_and_is_asked_again_later(monkeypatch):
    driver = FakeDriver(monkeypatch)
    meter = Meter()
    assert meter.read()[0].device == "gpu 0"
    driver.refuse("nvmlDeviceGetCount", error=pynvml.NVML_ERROR_UNKNOWN)
    (reading,) = meter.read()
    assert reading.device == "cpu"
    assert "the driver does not answer" in (reading.problem or "")
    driver.broken.clear()
    assert meter.read()[0].device == "cpu"
    monkeypatch.setattr(meter, "_retry_at", 0.0)
    assert meter.read()[0].device == "gpu 0"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "no NVIDIA driver is installed"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "the NVIDIA driver is not loaded"),
        (pynvml.NVML_ERROR_NO_PERMISSION, "no permission to ask the NVIDIA driver"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "the NVIDIA driver was updated while it was loaded: restart"),
        (pynvml.NVML_ERROR_UNKNOWN, "the NVIDIA driver does not answer (Unknown Error)"),
    ],
)
async def test_without_a_driver_the_cpu_is_read_and_the_reason_said(monkeypatch, error, reason):
    FakeDriver(monkeypatch).refuse("nvmlInit", error=error)
    (reading,) = Meter().read()
    assert reading.device == "cpu"
    assert reading.memory_total
    (text,) = await shown(reading)
    assert f"no GPU is shown: {reason}" in text
    assert "not reported" not in text


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlSystemGetDriverVersion", "nvmlShutdown"])
def test_a_driver_that_errors_has_no_version_and_stops_nobody(monkeypatch, broken):
    driver = FakeDriver(monkeypatch)
    assert driver_version() == "580.65"
    driver.refuse(broken, error=pynvml.NVML_ERROR_UNKNOWN)
    assert driver_version() is None


def test_the_machine_is_read_with_its_gpus_and_its_own_memory(monkeypatch):
    driver = FakeDriver(monkeypatch, gpus=2)
    assert [reading.device for reading in machine()] == ["gpu 0", "gpu 1", "cpu"]
    driver.refuse("nvmlInit")
    assert [reading.device for reading in machine()] == ["cpu"]


@pytest.mark.parametrize(
    "reading", [H100, replace(H100, process_memory=0), Reading(t=1.0, device="gpu 1", problem="the GPU is lost")]
)
def test_readings_survive_the_journal(reading):
    assert read(Reading, reading.to_dict() | {"of a newer version": 1}) == reading


@pytest.mark.slow
def test_what_a_run_records_outlives_a_gpu_that_is_lost_or_tells_little(monkeypatch, tmp_path):
    driver = FakeDriver(monkeypatch, gpus=2)
    driver.refuse("nvmlDeviceGetMemoryInfo", "nvmlDeviceGetPowerUsage")
    plan = RunPlan(name="x", model="demo", levels=(Level.parse("0"),), tasks=(TaskSpec("piqa"),))
    run = RunDir.create(tmp_path / "results.runs", plan, tmp_path / "results.duckdb")
    recorder = Recorder(run)
    sampler = Sampler(pid=42, every=0.01)
    recorder.sample(sampler)

    def wait_for(problem: str | None) -> None:
        for _ in range(1000):
            with sampler._lock:
                if any(reading.device == "gpu 1" and reading.problem == problem for reading in sampler._taken):
                    return
            sampler._ended.wait(0.01)
        raise AssertionError(f"it did not read {problem}")

    lost = "the GPU is lost: it does not answer the driver any more"
    wait_for(None)
    driver.lost.add(1)
    wait_for(lost)
    driver.refuse("nvmlDeviceGetCount", error=pynvml.NVML_ERROR_UNKNOWN)
    for _ in range(1000):
        with sampler._lock:
            if any(reading.device == "cpu" for reading in sampler._taken):
                break
        sampler._ended.wait(0.01)
    recorder.record(Finished(failed=0))
    assert recorder.merge()
    recorder.close()

    recorded = [reading for told in of_kind(run.events(), GpuSamples) for reading in told.samples]
    assert {(reading.device, reading.problem) for reading in recorded} == {
        ("gpu 0", None), ("gpu 1", None), ("gpu 1", lost), ("cpu", "the driver does not answer (Unknown Error)"),
    }  # fmt: skip
    assert {reading.clock for reading in recorded if reading.device == "gpu 0"} == {1755}


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


async def test_each_measure_of_a_gpu_has_its_label_its_number_and_its_history():
    app = PanelApp()
    series = [replace(H100, t=100.0 + i, utilisation=use, power=7.0 * use) for i, use in enumerate((0, 50, 100))]
    async with app.run_test(size=(60, 20)) as pilot:
        await app.query_one(GpuPanel).show(series, usage=Usage({"gpu 0": 7200.0}))
        await pilot.pause()
        lines = str(app.query_one(DevicePanel).render()).splitlines()
    assert [line.split() for line in lines[:5]] == [
        ["GPU", "0", "NVIDIA", "H100", "80GB", "HBM3"],
        ["use", "100%", "▁▄█"],
        ["memory", "51%", "41.0/80.0", "GiB", "▄▄▄"],
        ["power", "700/700", "W", "▁▄█"],
        ["heat", "64", "°C", "▅▅▅"],
    ]
    assert len({line.rindex(" ") for line in lines[1:5]}) == 1  # the newest at the right
    assert lines[5:] == [
        "run 50% 40.0 GiB · 1755/1980 MHz · memory 2619 MHz",
        "energy 2 Wh since the run began",
        "! slowed down by the power limit",
    ]


async def test_the_runs_speed_over_time_and_the_processes_on_the_gpu_stand_in_the_panel():
    app = PanelApp()
    others = (GpuProcess("gpu 0", 7, "python", GIB), GpuProcess("gpu 0", 42, "other", 40 * GIB))
    async with app.run_test(size=(60, 24)) as pilot:
        await app.query_one(GpuPanel).show([H100], usage=Usage(speed=(100.0, 200.0)), processes=others)
        await pilot.pause()
        speed, listed = (str(app.query_one(name, Static).render()) for name in ("#speed", "#processes"))
    assert speed.split() == ["speed", "200", "tokens/s", "▄█", "over", "the", "run;", "most", "200", "tokens/s"]
    assert [line.split() for line in listed.splitlines()] == [
        ["processes"], ["42", "40.0", "GiB", "other"], ["7", "1.0", "GiB", "python"],
    ]  # fmt: skip


def test_processes_are_read_with_their_names_and_none_are_where_the_driver_does_not_tell(monkeypatch):
    driver, meter = FakeDriver(monkeypatch), Meter()
    driver.processes[0] = [SimpleNamespace(pid=os.getpid(), usedGpuMemory=GIB)]
    assert meter.processes() == []  # not asked before the driver answered once
    meter.read()
    (one,) = meter.processes()
    assert (one.device, one.pid, one.memory) == ("gpu 0", os.getpid(), GIB)
    assert one.name
    driver.refuse("nvmlDeviceGetComputeRunningProcesses")
    assert meter.processes() == []


@pytest.mark.parametrize(("width", "beside"), [(80, True), (46, False)])
async def test_two_gpus_stand_beside_each_other_where_there_is_room(width, beside):
    app = PanelApp()
    async with app.run_test(size=(width, 30)) as pilot:
        await app.query_one(GpuPanel).show([H100, replace(H100, device="gpu 1")])
        await pilot.pause()
        first, second = (panel.region for panel in app.query(DevicePanel))
    assert (first.y == second.y) is beside


async def test_a_gpu_that_is_not_read_any_more_gives_way(monkeypatch):
    app = PanelApp()
    async with app.run_test(size=(60, 14)) as pilot:
        panel = app.query_one(GpuPanel)
        await panel.show([H100])
        lost = Reading(t=200.0, device="cpu", utilisation=5.0, problem="the driver does not answer (GPU is lost)")
        await panel.show([H100, lost])
        await pilot.pause()
        text = str(app.query_one(DevicePanel).render())
    assert "the driver does not answer" in text
    assert panel.border_title == "CPU (no GPU)"


@pytest.mark.slow
async def test_the_dashboard_goes_on_while_gpu_and_driver_fail_under_it(monkeypatch, dashboard, warehouse, driver):
    nvml = FakeDriver(monkeypatch, gpus=2)
    monkeypatch.setattr("engine.gpu._RETRY_SECONDS", 0.0)
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))

    def says(index: int, part: str) -> bool:
        texts = [str(static.render()) for static in dashboard.screen.query(".numbers").results(Static)]
        return index < len(texts) and part in texts[index]

    with run.lock():  # as its worker would
        async with dashboard.run_test(size=(160, 45)) as pilot:
            await driver.open_run(pilot)
            await driver.until(pilot, lambda: says(0, "GPU 0") and says(1, "612/700 W"))
            nvml.refuse("nvmlDeviceGetPowerUsage", "nvmlDeviceGetMemoryInfo")
            await driver.until(pilot, lambda: says(0, "memory, the run's memory, power not reported"))
            assert says(0, "64 °C")
            nvml.lost.add(1)
            await driver.until(pilot, lambda: says(1, "the GPU is lost"))
            assert says(0, "64 °C")
            nvml.refuse("nvmlDeviceGetCount", "nvmlInit", error=pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
            await driver.until(pilot, lambda: says(0, "no GPU is shown: the NVIDIA driver is not loaded"))
            nvml.broken.clear()
            nvml.lost.clear()
            await driver.until(pilot, lambda: says(0, "GPU 0") and says(1, "612/700 W"))
            assert dashboard.feed.snapshot.problem is None


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([0, 100], "   █\n  ▁█"),
        ([50, 50, 50, 50], "    \n████"),
        ([0, 0, 0, 0, 100, 0, 0, 0], "  █ \n▁▁█▁"),
        ([50, None, None, 100], "   █\n█  █"),
        ([], "    \n    "),
    ],
)
def test_the_graph_has_a_fixed_scale_and_its_newest_value_at_the_right(values, drawn):
    assert graph(values, width=4, height=2) == drawn
