"""A GPU's driver gets ready while libraries are imported."""

from __future__ import annotations

import ctypes

import pytest

from engine.worker import importing


class Driver:
    def __init__(self, name: str) -> None:
        self.name = name

    def cuInit(self, flags: int) -> int:
        calls.append((self.name, flags))
        return 0


calls: list[tuple[str, int]] = []


def test_the_driver_is_asked_for_its_gpus_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    calls.clear()
    monkeypatch.setattr(ctypes, "CDLL", Driver)
    importing.begin_driver().join()
    assert calls == [("libcuda.so.1", 0)]


def test_a_machine_without_one_goes_on(monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder) -> None:
    monkeypatch.setattr(importing, "_DRIVER", "libno-such-driver.so.1")
    importing.begin_driver().join()
    assert not recwarn.list
