"""What a worker writes of stages that are at work side by side."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.rundir import RunDir, runs_root
from engine.worker import recorder as module
from engine.worker.recorder import Recorder
from warehouse.records.events import Log, Stage, StageProgress, of_kind
from warehouse.records.level import parse_levels

PLAN = RunPlan(name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("t"),))


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    run = RunDir.create(runs_root(tmp_path / "r.duckdb"), PLAN, tmp_path / "r.duckdb")
    recorder = Recorder(run)
    yield recorder
    recorder.close()


def run_of(recorder: Recorder) -> RunDir:
    return RunDir(recorder._journal.path.parent)


def test_a_stage_says_that_it_begins_how_far_it_is_once_a_second_and_that_it_has_ended(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    with recorder.stage("hash weights", unit="bytes") as report:
        for done in range(0, 40, 4):
            clock[0] += 0.4
            report(done, 40)
    events = run_of(recorder).events()
    told = [(one.done, one.total, one.unit) for one in of_kind(events, StageProgress)]
    assert told == [(0, None, "bytes"), (8, 40, "bytes"), (20, 40, "bytes"), (32, 40, "bytes")]
    assert [(one.stage, one.seconds) for one in of_kind(events, Stage)] == [("hash weights", 4.0)]


def test_a_stage_that_fails_has_not_ended(recorder: Recorder) -> None:
    with pytest.raises(KeyError), recorder.stage("load model"):
        raise KeyError
    assert not of_kind(run_of(recorder).events(), Stage)


def test_threads_write_whole_lines_one_after_another(recorder: Recorder) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: recorder.record(Log(message=str(n))), range(200)))
    events = run_of(recorder).events()
    assert [event.seq for event in events] == list(range(200))
    assert {event.data.message for event in events if isinstance(event.data, Log)} == set(map(str, range(200)))
