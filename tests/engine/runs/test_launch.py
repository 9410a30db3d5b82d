"""Starting and stopping workers, with a stand-in that needs no model."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from engine.errors import RunBusyError, UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import launch, stopping
from engine.runs.launch_record import Start, reason
from engine.runs.rundir import RunDir, runs_root
from warehouse.records.events import Attempt, Stopped
from warehouse.records.level import parse_levels
from warehouse.records.run_state import RunState
from warehouse.store.journal import Journal

WORKER = """
import os, signal, sys, time
from pathlib import Path
from engine.runs.rundir import RunDir
print("session", os.getsid(0), "from", sys.stdin.read() or "nothing", flush=True)
def stop(number, frame):
    print("asked to stop", flush=True)
    sys.exit(130)
signal.signal(signal.SIGINT, stop)
with RunDir(Path(sys.argv[1])).lock():
    time.sleep(60)
"""

REFUSES = """
import sys
from pathlib import Path
from engine.runs.rundir import RunDir
from warehouse.store.journal import Journal
from warehouse.records.events import Refused
run = RunDir(Path(sys.argv[1]))
with run.lock():
    Journal(run.journal_path).append(Refused(error="There is no such model."))
sys.exit(2)
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
    stopping.ask(RunDir(run.path))
    assert worker.wait(timeout=20) == launch.STOPPED
    assert launch.log_tail(run)[-1] == "asked to stop"


def test_a_run_has_one_worker(run: RunDir, worker: subprocess.Popen):
    with pytest.raises(RunBusyError, match=str(worker.pid)):
        launch.start(run)


def test_only_a_running_run_can_be_stopped(run: RunDir, worker: subprocess.Popen):
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    with pytest.raises(UserError, match="not running"):
        stopping.ask(run)


def test_where_the_start_cannot_be_written_down_no_worker_is_left(run: RunDir, monkeypatch: pytest.MonkeyPatch):
    workers: list[int] = []

    def full(folder: Path, start: Start) -> None:
        workers.append(start.pid)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.runs.launch_record.write", full)
    monkeypatch.setattr(launch, "module_command", lambda _, *arguments: [sys.executable, "-c", WORKER, *arguments])
    with pytest.raises(OSError, match="No space left"):
        launch.start(run)
    assert not psutil.pid_exists(workers[0])
    assert run.state() == RunState.QUEUED


@pytest.fixture
def started(run: RunDir, monkeypatch: pytest.MonkeyPatch):
    """Starts a worker that runs some Python instead of our module, and ends it with the test."""
    workers: list[subprocess.Popen] = []

    def start(code: str) -> subprocess.Popen:
        monkeypatch.setattr(launch, "module_command", lambda _, *arguments: [sys.executable, "-c", code, *arguments])
        workers.append(launch.start(run))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()


def dead(worker: subprocess.Popen) -> None:
    """Wait for a worker's end without taking its exit code, as a dashboard that goes on does."""
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)


def test_a_run_works_from_the_moment_it_is_started(run: RunDir, started):
    worker = started("import time; time.sleep(60)")
    assert run.holder() is None
    assert run.state() == RunState.RUNNING
    with pytest.raises(RunBusyError, match=str(worker.pid)):
        launch.start(run)


def test_a_worker_killed_before_its_first_event_leaves_the_run_interrupted(run: RunDir, started):
    worker = started("import time; time.sleep(60)")
    worker.send_signal(signal.SIGKILL)
    dead(worker)
    assert run.state() == RunState.INTERRUPTED
    start = run.unanswered(0)
    assert start is not None
    assert reason(run.log_path, start) is None


def test_a_worker_that_ends_at_once_leaves_its_last_words(run: RunDir, started):
    run.log_path.write_text("of an earlier attempt\n")
    dead(started("import sys; sys.exit('No module named torch')"))
    assert run.state() == RunState.INTERRUPTED
    start = run.unanswered(0)
    assert start is not None
    assert reason(run.log_path, start) == "No module named torch"


def test_a_run_that_was_stopped_and_cannot_be_taken_up_again_is_interrupted(run: RunDir, started):
    journal = Journal(run.journal_path)
    journal.append(Attempt(attempt=1, pid=1, host="h", provenance={}))
    journal.append(Stopped(reason="SIGINT"))
    journal.close()
    assert run.state() == RunState.STOPPED
    dead(started("raise SystemExit(3)"))
    assert run.state() == RunState.INTERRUPTED
    dead(started(REFUSES))  # and once its worker says something, that counts
    assert run.state() == RunState.REFUSED


def test_a_worker_that_is_still_starting_can_be_stopped(run: RunDir, started):
    worker = started("import time; print('up', flush=True); time.sleep(60)")
    deadline = time.monotonic() + 60
    while launch.log_tail(run) != ["up"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stopping.ask(run)
    dead(worker)
    assert run.state() == RunState.INTERRUPTED
    with pytest.raises(UserError, match="not running"):
        stopping.ask(run)


LOOPS = """
import os, signal, sys
from pathlib import Path
from engine.runs.rundir import RunDir
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = os.fork()
if child == 0:
    signal.pause()
with RunDir(Path(sys.argv[1])).lock():
    print("child", child, flush=True)
    while True:
        pass
"""


def test_a_worker_that_heeds_nothing_is_waited_for_so_long_and_killed_with_what_it_started(run: RunDir, started):
    process = started(LOOPS)
    wait_for(lambda: run.holder() is not None and launch.log_tail(run))
    child = int(launch.log_tail(run)[0].split()[1])
    worker = stopping.ask(run)
    assert not worker.has_ended(within=0.1)
    assert "heeds no signal" in worker.why()
    worker.kill()
    assert worker.has_ended(within=0)
    assert process.wait() == -signal.SIGKILL
    wait_for(lambda: has_ended(child))
    assert run.holder() is None
    worker.kill()  # once more changes nothing


def test_of_a_suspended_worker_it_is_said_how_it_goes_on(run: RunDir, worker: subprocess.Popen):
    worker.send_signal(signal.SIGSTOP)
    asked = stopping.ask(run)
    wait_for(lambda: "suspended" in asked.why())
    assert f"`kill -CONT {worker.pid}`" in asked.why()
    worker.send_signal(signal.SIGCONT)
    assert asked.has_ended(within=60)
    assert launch.log_tail(run)[-1] == "asked to stop"


def test_a_later_process_of_the_same_number_is_not_killed(run: RunDir, worker: subprocess.Popen):
    asked = stopping.ask(run)
    stranger = replace(asked, created=asked.created - 1)
    assert not stranger.is_alive()
    stranger.kill()
    assert worker.wait(timeout=20) == launch.STOPPED


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_start_on_another_machine_or_by_a_process_whose_number_was_given_again_is_over(run: RunDir):
    own = Start.of(os.getpid(), turns=0, log_size=0)
    assert own.is_alive()
    assert not replace(own, host="elsewhere").is_alive()
    assert not replace(own, created=own.created - 1).is_alive()


def test_a_damaged_note_of_a_start_is_as_good_as_none(run: RunDir):
    (run.path / "start.json").write_text('{"pid": 1')
    assert run.state() == RunState.QUEUED
