"""A worker whose results somebody else brings home: it leaves the database alone, and heeds a file and its parent."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import stopping
from engine.runs.create import create
from engine.runs.rundir import RunDir
from engine.worker.recorder import Recorder
from warehouse.records.events import Log
from warehouse.records.level import parse_levels

WAITS = """
import sys, time
from pathlib import Path
from engine.runs.rundir import RunDir
from engine.worker.stopping import heed_file_and_parent
heed_file_and_parent(RunDir(Path(sys.argv[1])))
print("waits", flush=True)
time.sleep(60)
"""
BLOCKS = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])"  # as Ray's threads do
STARTS = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {WAITS!r}, sys.argv[1]], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    plan = RunPlan(name="piece", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))
    return create(plan, tmp_path / "results.duckdb")


def test_it_writes_its_journal_and_no_database(run: RunDir):
    recorder = Recorder(run, merges=False)
    recorder.record(Log(message="so far", level_name="info"))
    recorder.merge_soon()
    assert recorder.merge()
    recorder.close()
    assert len(run.events()) == 1
    assert not run.database.exists()


def test_who_holds_it_is_asked_to_stop_by_a_file(run: RunDir):
    with run.lock(by_file=True):
        worker = stopping.ask(run)
        assert run.stop_path.read_text() == ""
        assert worker.is_alive()
        assert not worker.has_ended(within=0)
    assert not worker.is_alive()


@pytest.mark.slow
@pytest.mark.parametrize("start", [WAITS, BLOCKS + WAITS], ids=["as ever", "by a thread that blocks signals"])
def test_it_stops_by_a_file_in_its_folder(run: RunDir, start: str):
    with subprocess.Popen([sys.executable, "-c", start, str(run.path)], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        run.stop_path.touch()
        assert worker.wait(30) in (-signal.SIGINT, 1, 130)


@pytest.mark.slow
def test_it_stops_with_whoever_started_it(run: RunDir):
    parent = subprocess.run([sys.executable, "-c", STARTS, str(run.path)], capture_output=True, text=True, check=True)
    child = stopping.Worker("run", int(parent.stdout), psutil.Process(int(parent.stdout)).create_time())
    assert child.has_ended(within=30)
