"""Starting and stopping workers, with a stand-in that needs no model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import launch
from engine.errors import RunBusyError, UserError
from engine.levels import parse_levels
from engine.plan import RunPlan
from engine.rundir import RunDir, RunState, runs_root
from engine.suites import TaskSpec

WORKER = """
import os, signal, sys, time
from pathlib import Path
from engine.rundir import RunDir
print("session", os.getsid(0), "from", sys.stdin.read() or "nothing", flush=True)
def stop(number, frame):
    print("asked to stop", flush=True)
    sys.exit(130)
signal.signal(signal.SIGINT, stop)
with RunDir(Path(sys.argv[1])).lock():
    time.sleep(60)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    database = tmp_path / "results.duckdb"
    plan = RunPlan(name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))
    return RunDir.create(runs_root(database), plan, database)


@pytest.fixture
def worker(run: RunDir, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "module_command", lambda _, *arguments: [sys.executable, "-c", WORKER, *arguments])
    process = launch.start(run)
    deadline = time.monotonic() + 20
    while run.holder() is None:
        assert time.monotonic() < deadline, launch.log_tail(run)
        time.sleep(0.02)
    yield process
    process.kill()
    process.wait()


def test_a_worker_has_a_session_of_its_own_and_writes_to_its_log(run: RunDir, worker: subprocess.Popen):
    assert launch.log_tail(run)[0] == f"session {worker.pid} from nothing"
    assert os.getsid(worker.pid) != os.getsid(0)
    assert run.state() == RunState.RUNNING


def test_a_worker_is_asked_to_stop_by_whoever_finds_the_run(run: RunDir, worker: subprocess.Popen):
    launch.stop(RunDir(run.path))
    assert worker.wait(timeout=20) == launch.STOPPED
    assert launch.log_tail(run)[-1] == "asked to stop"


def test_a_run_has_one_worker(run: RunDir, worker: subprocess.Popen):
    with pytest.raises(RunBusyError, match=str(worker.pid)):
        launch.start(run)


def test_only_a_running_run_can_be_stopped(run: RunDir, worker: subprocess.Popen):
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    with pytest.raises(UserError, match="not running"):
        launch.stop(run)


def test_a_folder_in_the_way_is_not_taken_for_ours(run: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("engine", "warehouse", "json"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(launch.module_command("engine.errors"), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
