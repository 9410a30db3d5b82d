from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Shell:
    """Runs prune-tui in a folder of its own, as a person would, without a terminal."""

    cwd: Path
    command: tuple[str, ...]
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *arguments],
            cwd=self.cwd, env=_environment(environment), input=stdin, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.cwd, env=_environment({}), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=_heed_signals,
        )  # fmt: skip
        self.started.append(process)
        return process

    @property
    def runs(self) -> list[Path]:
        return sorted(plan.parent for plan in (self.cwd / "results.runs").glob("*/plan.json"))


def _heed_signals() -> None:
    """As from a person's shell, also where the tests themselves were started by nohup or in the background."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PRUNE_TUI")} | more


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, (sys.executable, "-P", "-m", "prune_tui"))


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Shell]:
    """The command line with a worker that has no model; `--name` chooses what befalls it."""
    shell = Shell(tmp_path, (sys.executable, str(HERE / "with_fake_worker.py")))
    yield shell
    for process in shell.started:
        process.kill()
        process.communicate()
