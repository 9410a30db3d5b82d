"""Sources of energy on a simulated NVML and a simulated powercap folder."""

from __future__ import annotations

from pathlib import Path

import pynvml
import pytest

from engine.profile import sources


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> dict[str, int | None]:
    """What the driver says, in millijoules and milliwatts; None is a GPU that does not know."""
    told: dict[str, int | None] = {"energy": 5_000, "power": 70_000}

    def answer(name: str):
        def ask(handle: object) -> int:
            value = told[name]
            if value is None:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
            return value

        return ask

    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: uuid)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", answer("energy"))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPowerUsage", answer("power"))
    return told


def test_a_gpus_counter_is_read_in_joules(nvml) -> None:
    found = sources.gpu_source("GPU-1")
    assert found.source is not None
    assert (found.source.kind, found.source.read()) == ("counter", 5.0)


def test_without_a_counter_power_is_sampled_and_labelled_so(nvml) -> None:
    nvml["energy"] = None
    found = sources.gpu_source("GPU-1")
    assert found.source is not None
    assert (found.source.kind, found.source.read()) == ("power", 70.0)
    assert "sampled" in found.source.name


def test_a_gpu_that_tells_neither_has_a_reason(nvml) -> None:
    nvml.update(energy=None, power=None)
    found = sources.gpu_source("GPU-1")
    assert found.source is None
    assert found.missing is not None
    assert found.missing.startswith("this GPU reports neither energy nor power")


def test_without_a_driver_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", none)
    found = sources.gpu_source("GPU-1")
    assert found.missing is not None
    assert found.missing.startswith("NVIDIA's management library does not answer")


def package(folder: Path, name: str, microjoules: int, turn: int = 262_143_000_000) -> None:
    (folder / name).mkdir()
    (folder / name / "energy_uj").write_text(f"{microjoules}\n")
    (folder / name / "max_energy_range_uj").write_text(f"{turn}\n")


def test_a_processors_packages_are_added_up_and_their_parts_are_not(tmp_path: Path) -> None:
    package(tmp_path, "intel-rapl:0", 1_500_000)
    package(tmp_path, "intel-rapl:0:0", 900_000)
    found = sources.cpu_source(tmp_path)
    assert found.source is not None
    assert (found.source.read(), found.source.wraps_at) == (1.5, 262_143.0)
    package(tmp_path, "intel-rapl:1", 500_000)
    both = sources.cpu_source(tmp_path).source
    assert both is not None
    assert (both.read(), both.wraps_at) == (2.0, None)


def test_a_machine_without_rapl_says_so(tmp_path: Path) -> None:
    assert sources.cpu_source(tmp_path).missing == "this machine shows no energy counter of its processors (RAPL)"
    (tmp_path / "intel-rapl:0").mkdir()
    found = sources.cpu_source(tmp_path)
    assert found.source is None
    assert found.missing is not None
    assert "cannot be read" in found.missing
