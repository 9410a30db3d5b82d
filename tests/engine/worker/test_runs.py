"""Runs as processes: what they record, and that nothing is lost or doubled however they end.

All of them evaluate the demo model on a few documents of its own benchmarks.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from template import once

from engine.planning.plan import RunPlan
from engine.planning.suites import SUITES, TaskSpec
from engine.runs import launch, stopping
from engine.runs.rundir import RunDir, runs_root
from warehouse.merging.merge import merge_run
from warehouse.read.documents import read_document
from warehouse.records.events import Attempt, Event, Finished, Refused, Stage, of_kind, write_line
from warehouse.records.facts import CellFacts, DocumentsFacts, FailureFacts, ModelFacts, TaskFacts, VariantFacts
from warehouse.records.level import parse_levels
from warehouse.records.run_state import RunState
from warehouse.store import db

PLAN = RunPlan(name="test", model="demo", levels=tuple(parse_levels("0,30,60")), tasks=SUITES["demo"], limit=6)
METRICS = (Path(__file__).parent / "metrics_of_run.sql").read_text()


def new_run(folder: Path, plan: RunPlan = PLAN) -> RunDir:
    database = folder / "results.duckdb"
    return RunDir.create(runs_root(database), plan, database)


def work(run: RunDir) -> int:
    return launch.start(run).wait(timeout=300)


def recorded(run: RunDir) -> list[tuple[Any, ...]]:
    """The run's rows in the warehouse: level, task, metric, filter, value, standard error, n."""
    with db.open_read(run.database) as con:
        return con.execute(METRICS, {"run_id": run.run_id}).fetchall()


def sample_counts(run: RunDir) -> list[tuple[Any, ...]]:
    sql = (Path(__file__).parent / "samples_of_run.sql").read_text()
    with db.open_read(run.database) as con:
        return con.execute(sql, {"run_id": run.run_id}).fetchall()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, session_folder: Path) -> RunDir:
    """A run that nothing disturbed: worked on once a session, and copied."""

    def go(kept: Path) -> None:
        run = new_run(tmp_path_factory.mktemp("run"))
        assert work(run) == launch.FINISHED, "\n".join(launch.log_tail(run))
        shutil.copytree(run.database.parent, kept)

    folder = tmp_path_factory.mktemp("undisturbed") / "copy"
    shutil.copytree(once(session_folder / "undisturbed", go), folder)
    (run,) = runs_root(folder / "results.duckdb").iterdir()
    return RunDir(run)


def test_a_run_records_every_task_at_every_level(finished: RunDir) -> None:
    assert finished.state() is RunState.FINISHED
    cells = {(cell.level, cell.task) for cell in of_kind(finished.events(), CellFacts)}
    names = {task.task for task in of_kind(finished.events(), TaskFacts)}
    assert len(names) >= len(SUITES["demo"])
    assert {(level, name) for level in ("0", "30", "60") for name in names} <= cells
    assert {(level, task) for level, task, *_ in recorded(finished)} == cells
    assert sample_counts(finished)


def test_a_run_says_where_its_numbers_come_from(finished: RunDir) -> None:
    events = finished.events()
    made = of_kind(events, Attempt)[0].provenance
    assert made is not None
    assert made["versions"]["torch"]
    assert made["versions"]["lm-eval"].startswith("0.4")
    assert made["device"]
    assert len(of_kind(events, ModelFacts)[0].weights_hash or "") == 64
    assert len(of_kind(events, TaskFacts)[0].requests_hash or "") == 64
    assert {stage.stage for stage in of_kind(events, Stage)} >= {
        "load model", "build requests", "sort neurons", "prune",
    }  # fmt: skip


def test_widths_are_visited_from_wide_to_narrow_and_padded(finished: RunDir) -> None:
    variants = of_kind(finished.events(), VariantFacts)
    assert [variant.level for variant in variants] == ["0", "30", "60"]
    for variant in variants:
        assert variant.width <= (variant.padded_size or 0) <= variants[0].width


@pytest.mark.slow
def test_resuming_a_finished_run_does_nothing_new(finished: RunDir) -> None:
    before = recorded(finished)
    assert work(finished) == launch.FINISHED
    assert recorded(finished) == before


def test_a_documents_answers_at_every_level_can_be_read(finished: RunDir) -> None:
    written = read_document(finished.database, finished.run_id, "demo_sums", 0)
    assert [one.level for one in written.levels] == ["0", "30", "60"]
    assert written.prompts[0].startswith("[… ")  # its shots
    assert [len(one.texts) for one in written.levels] == [1, 1, 1]
    chosen = read_document(finished.database, finished.run_id, "demo_grammar", 0)
    for one in chosen.levels:
        best = max(range(len(chosen.choices)), key=one.log_likelihoods.__getitem__)
        [acc] = [score for score in one.scores if score.metric == "acc"]
        assert (acc.response, acc.value) == (str(best), float(best == chosen.target))


@pytest.mark.slow
def test_a_run_from_before_documents_were_kept_keeps_them_when_it_goes_on(finished: RunDir, tmp_path: Path) -> None:
    shutil.copytree(finished.database.parent, tmp_path / "older")
    database = tmp_path / "older" / finished.database.name
    run = RunDir(runs_root(database) / finished.run_id)
    shutil.rmtree(run.path / "documents")
    database.unlink()
    kept = [data for data in (event.data for event in run.events()) if not isinstance(data, DocumentsFacts | Finished)]
    again = next(at for at, data in enumerate(kept) if isinstance(data, CellFacts) and data.level == "60")
    older = [replace(data, samples_hash=None) if isinstance(data, CellFacts) else data for data in kept[:again]]
    run.journal_path.write_bytes(b"".join(write_line(Event(at, 1.75e9 + at, data)) for at, data in enumerate(older)))
    assert work(run) == launch.FINISHED
    assert recorded(run) == recorded(finished)
    [task, *_] = run.history()[0].documents
    assert [one.level for one in read_document(database, run.run_id, task, 0).levels] == ["0", "30", "60"]


def test_asked_to_stop_it_stops_and_resumes_with_the_same_numbers(finished: RunDir, tmp_path: Path) -> None:
    run = new_run(tmp_path)
    process = launch.start(run)
    wait_for(run, "cell", 2)
    stopping.ask(run)
    assert process.wait(timeout=60) == launch.STOPPED
    assert run.state() is RunState.STOPPED
    assert 0 < len(recorded(run)) < len(recorded(finished))
    assert work(run) == launch.FINISHED
    assert recorded(run) == recorded(finished)


@pytest.mark.slow
def test_two_workers_never_share_a_run(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    process = launch.start(run)
    wait_for(run, "attempt", 1)
    process.send_signal(signal.SIGSTOP)  # or it is done before the second one has begun
    try:
        second = subprocess.run(
            launch.module_command("engine.worker", str(run.path)), capture_output=True, text=True, timeout=60
        )
    finally:
        process.send_signal(signal.SIGCONT)
    assert second.returncode == launch.REFUSED
    assert f"is being worked on by process {process.pid}" in second.stderr
    assert process.wait(timeout=300) == launch.FINISHED
    assert [attempt.attempt for attempt in of_kind(run.events(), Attempt)] == [1]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("held", [False, True], ids=["database free", "database held by another process"])
def test_killed_at_ten_random_moments_nothing_is_lost_or_doubled(finished: RunDir, tmp_path: Path, held: bool) -> None:
    rng = random.Random(7 if held else 3)
    with holding(tmp_path / "results.duckdb") if held else nothing():
        kills = 0
        while kills < 10:
            run = new_run(tmp_path)
            while kills < 10 and run.state() is not RunState.FINISHED:
                seen = len(run.events())
                process = launch.start(run)
                # Some kills come while it loads, most while it evaluates.
                if rng.random() < 0.8:
                    wait_for_more(run, process, seen + 12)
                time.sleep(rng.uniform(0, 0.6))
                kills += process.poll() is None
                process.kill()
                process.wait()
            if run.state() is not RunState.FINISHED:
                assert work(run) == launch.FINISHED
            if not held:
                assert recorded(run) == recorded(finished)
                assert sample_counts(run) == sample_counts(finished)
    for run_dir in sorted(runs_root(tmp_path / "results.duckdb").iterdir()):
        merge_run(tmp_path / "results.duckdb", run_dir)
        assert merge_run(tmp_path / "results.duckdb", run_dir) == 0
        assert recorded(RunDir(run_dir)) == recorded(finished)
        assert sample_counts(RunDir(run_dir)) == sample_counts(finished)


@pytest.mark.slow  # reads all of lm-eval's index
def test_a_task_that_fails_is_recorded_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "rows.jsonl").write_text('{"q": "Anna likes", "a": " tea"}\n' * 3)
    (tmp_path / "tasks" / "metric.py").write_text(
        "from pathlib import Path\n\n"
        "def judge(doc, results):\n"
        "    if not (Path(__file__).parent / 'mended').exists():\n"
        "        raise ValueError('row 0 has no label')\n"
        "    return {'acc': 1.0}\n"
    )
    (tmp_path / "tasks" / "broken.yaml").write_text(
        f"task: broken\ndataset_path: json\ndataset_kwargs:\n  data_files:\n    test: {tmp_path}/tasks/rows.jsonl\n"
        "output_type: loglikelihood\ntest_split: test\ndoc_to_text: '{{q}}'\ndoc_to_target: '{{a}}'\n"
        "process_results: !function metric.judge\n"
        "metric_list:\n  - metric: acc\n    aggregation: mean\n    higher_is_better: true\n"
    )
    tasks = (TaskSpec("broken"), TaskSpec("demo_grammar"))
    plan = replace(PLAN, tasks=tasks, include_paths=(str(tmp_path / "tasks"),), trust_task_code=True)
    run = new_run(tmp_path, plan)

    assert work(run) == launch.FAILED
    assert run.state() is RunState.FINISHED_WITH_FAILURES
    failures = of_kind(run.events(), FailureFacts)
    assert {(failure.level, failure.task) for failure in failures} == {
        ("0", "broken"), ("30", "broken"), ("60", "broken"),
    }  # fmt: skip
    assert failures[0].error == "ValueError: row 0 has no label"
    assert "Traceback" in failures[0].detail
    assert {task for _, task, *_ in recorded(run)} == {"demo_grammar"}

    (tmp_path / "tasks" / "mended").touch()
    assert work(run) == launch.FINISHED
    assert {task for _, task, *_ in recorded(run)} == {"demo_grammar", "broken"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param(
            {"tasks": (TaskSpec("demo_gramar"),)},
            "There is no task or group 'demo_gramar': did you mean demo_grammar",
            marks=pytest.mark.slow,  # reads all of lm-eval's index
        ),
        ({"tasks": (TaskSpec("demo_facts"), TaskSpec("demo_facts"))}, "is asked for twice"),
        ({"model": "no/such/folder"}, "There is no folder no/such/folder"),
        ({"levels": tuple(parse_levels("30,w4096"))}, "Level w4096 would widen the model"),
        ({"divisor": 256}, "A divisor of 256 is too coarse for 512 neurons a layer: give one of at most 128"),
        ({"device": "cuda:77"}, "GPU"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused_in_one_sentence(
    changes: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    run = new_run(tmp_path, replace(PLAN, **changes))
    assert work(run) == launch.REFUSED
    assert run.state() is RunState.REFUSED
    (refused,) = of_kind(run.events(), Refused)
    assert sentence in refused.error
    assert "\n" not in refused.error


def wait_for(run: RunDir, kind: str, count: int, timeout: float = 120) -> None:
    deadline = time.monotonic() + timeout
    while sum(event.kind == kind for event in run.events()) < count:
        assert time.monotonic() < deadline, f"no {count} {kind} events came"
        time.sleep(0.02)


def wait_for_more(run: RunDir, process: subprocess.Popen[bytes], count: int) -> None:
    while len(run.events()) < count and process.poll() is None:
        time.sleep(0.02)


@contextmanager
def holding(database: Path) -> Iterator[None]:
    """Another process has the database open for writing all the while."""
    with db.open_write(database):
        pass
    code = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def nothing() -> Iterator[None]:
    yield
