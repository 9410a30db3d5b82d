"""A pytest plugin that records which test reached which line, and which query of ours, in forked processes as well.

MUTANTS_STATE=folder python -m pytest -p mutants.contexts …    with benchmarks/ on PYTHONPATH
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

STATE = Path(os.environ["MUTANTS_STATE"])
ROOT = Path(__file__).resolve().parents[2]
CONFIG = STATE / "settings.ini"
CONFIG.write_text(
    f"[run]\nparallel = true\ndata_file = {STATE}/coverage\nsource =\n    {ROOT}/engine/pruning\n    {ROOT}/engine\n"
    f"    {ROOT}/warehouse\n"
)
os.environ["MUTANTS_CONFIG"] = str(CONFIG)  # forked processes record where this is set


class _Recorder:
    def __init__(self) -> None:
        self.coverage = coverage.Coverage(config_file=str(CONFIG), data_suffix=True)

    def pytest_sessionstart(self) -> None:
        self.coverage.start()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self.coverage.switch_context("")

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        self.coverage.save()


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):  # who runs the tests
        config.pluginmanager.register(_Recorder())
