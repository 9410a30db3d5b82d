"""The warehouse follows the journal beside the work: nothing waits for it, nothing is lost by it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import SUITES
from engine.runs.rundir import RunDir, runs_root
from engine.worker import merging
from engine.worker.recorder import Recorder
from warehouse.merging.merge import merge_run
from warehouse.records.events import Log, of_kind
from warehouse.records.level import parse_levels
from warehouse.store import db

PLAN = RunPlan(name="test", model="demo", levels=tuple(parse_levels("0")), tasks=SUITES["demo"], limit=6)
METRICS = (Path(__file__).parent / "metrics_of_run.sql").read_text()
HOLD = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
FINISH_A_CELL_AND_DIE = """
import os, signal, sys
from pathlib import Path
from engine.runs.rundir import RunDir
from engine.worker.recorder import Recorder
from warehouse.records.facts import CellFacts, MetricFacts

recorder = Recorder(RunDir(Path(sys.argv[1])))
recorder.record(CellFacts(level="0", task="piqa", part_of=None, is_group=False, version="1", num_fewshot=0,
                                  seconds=1.0, samples=None, metrics=[
    MetricFacts(metric="acc", filter="none", value=0.5, stderr=None, n=2, higher_is_better=True)]))
recorder.merge_soon()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    database = tmp_path / "results.duckdb"
    return RunDir.create(runs_root(database), PLAN, database)


@pytest.fixture
def recorder(run: RunDir) -> Iterator[Recorder]:
    made = Recorder(run)
    yield made
    made.close()


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def merger_of(recorder: Recorder) -> merging.Merger:
    assert recorder._merger is not None
    return recorder._merger


@pytest.mark.slow
def test_work_goes_on_while_another_process_holds_the_file_and_is_merged_once_it_lets_go(
    run: RunDir, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "_PATIENCE", 0.05)
    monkeypatch.setattr(merging, "_PAUSE", 0.05)
    with db.open_write(run.database):
        pass
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(run.database)], stdin=-1, stdout=-1, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        recorder.record(Log(message="one"))
        recorder.merge_soon()
        until(lambda: merger_of(recorder).problem is not None)
        recorder.record(Log(message="two"))
        for _ in range(3):
            recorder.merge_soon()
        said = [log.message for log in of_kind(run.events(), Log)]
        assert said[:2] == ["one", "two"]
        assert [message.startswith("The results wait in the run's journal") for message in said[2:]] == [True]
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    until(lambda: merger_of(recorder).problem is None)
    merger_of(recorder).close()
    assert merge_run(run.database, run.path) == 0


def test_a_worker_killed_right_after_a_cell_has_lost_nothing(run: RunDir) -> None:
    died = subprocess.run([sys.executable, "-c", FINISH_A_CELL_AND_DIE, str(run.path)], timeout=120)
    assert died.returncode == -signal.SIGKILL
    assert [event.kind for event in run.events()] == ["cell"]
    for _ in range(2):
        merge_run(run.database, run.path, wait=5.0)
        with db.open_read(run.database) as con:
            found = con.execute(METRICS, {"run_id": run.run_id}).fetchall()
        assert found == [("0", "piqa", "acc", "none", 0.5, None, 2)]


def test_a_defect_in_merging_is_raised_where_the_work_is_done(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> int:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(merging, "merge_run", broken)
    recorder.merge_soon()
    until(lambda: not merger_of(recorder)._thread.is_alive())
    with pytest.raises(ZeroDivisionError, match="a defect"):
        recorder.merge_soon()
    with pytest.raises(ZeroDivisionError, match="a defect"):
        recorder.merge()


def test_merges_beside_the_work_take_a_twentieth_of_the_time_at_most() -> None:
    assert merging._pause(0.05, merging._SHARE) == 2.0
    assert merging._pause(1.5, merging._SHARE) == 30.0


@pytest.mark.parametrize(("cores", "merges_again"), [(2, False), (16, True)])
def test_towards_the_end_merges_follow_each_other_where_there_are_cores_for_them(
    run: RunDir, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, cores: int, merges_again: bool
) -> None:
    merges: list[int] = []

    def counted(*args: Any, **kwargs: Any) -> int:
        merges.append(merge_run(*args, **kwargs))
        return merges[-1]

    monkeypatch.setattr(merging, "merge_run", counted)
    monkeypatch.setattr(merging, "cores", lambda: cores)
    monkeypatch.setattr(merging, "_pause", lambda took, share: 0.0 if share == merging._LAST_SHARE else 3600.0)
    recorder.merge_soon()
    until(lambda: len(merges) == 1)
    recorder.hurry_merging()
    recorder.merge_soon()
    if merges_again:
        until(lambda: len(merges) == 2)
    merger_of(recorder).close()  # a pause ends with it, however long it was to be
    assert len(merges) == (2 if merges_again else 1)


def test_merging_at_the_end_takes_in_everything(run: RunDir, recorder: Recorder) -> None:
    for number in range(5):
        recorder.record(Log(message=str(number)))
        recorder.merge_soon()
    assert recorder.merge()
    merger_of(recorder).close()  # its thread may be about to merge once more: a process merges by one of them at a time
    assert merge_run(run.database, run.path) == 0
