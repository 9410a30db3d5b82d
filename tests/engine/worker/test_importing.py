"""A GPU's driver gets ready while libraries are imported, and what no worker needs of them is left out."""

from __future__ import annotations

import ctypes
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
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


def test_what_transformers_keeps_of_its_models_is_what_it_would_read_again() -> None:
    tools: Any = importlib.import_module("transformers.utils.import_utils")
    package = Path(tools.__file__).parents[1] / "models" / "__init__.py"
    read = tools.define_import_structure
    assert importing.structure_of_models(package.parent, read) == read(str(package))


def test_models_are_read_by_transformers_own_way_again_afterwards() -> None:
    tools: Any = importlib.import_module("transformers.utils.import_utils")
    read = tools.define_import_structure
    with importing._models_read_once():
        assert tools.define_import_structure is not read
    assert tools.define_import_structure is read


def test_an_assignment_is_scipys_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.import_module("scipy.optimize")
    monkeypatch.delitem(sys.modules, "scipy.optimize")
    costs = np.random.default_rng(0).random((6, 6))
    with importing._assignment_later():
        from scipy.optimize import linear_sum_assignment

        assert not hasattr(sys.modules["scipy.optimize"], "__file__")
    assert "scipy.optimize" not in sys.modules
    monkeypatch.setitem(sys.modules, "scipy.optimize", known)
    assert np.array_equal(linear_sum_assignment(costs), known.linear_sum_assignment(costs))


def test_whatever_else_is_asked_of_the_optimisers_has_them_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.import_module("scipy.optimize")
    monkeypatch.delitem(sys.modules, "scipy.optimize")
    monkeypatch.setattr(importing, "import_module", lambda name: known)
    with importing._assignment_later():
        from scipy.optimize import minimize
    assert minimize is known.minimize


@pytest.mark.slow
def test_a_worker_imports_no_optimisers() -> None:
    statement = """
import sys
from engine.worker.importing import import_transformers, imported
imported("engine.worker.attempt", first=import_transformers)
print("scipy.optimize" in sys.modules)
"""
    answer = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
