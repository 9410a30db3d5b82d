"""What is remembered of runs: never anything else than their files say now."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.planning.forecast import Draws
from engine.planning.plan import RunPlan
from engine.planning.profiling import ProfilePlan
from engine.planning.suites import TaskSpec
from engine.runs import digests
from engine.runs.digests import Digest, Digests
from engine.runs.past import draws
from engine.runs.rundir import RunDir, runs_root
from warehouse.records.events import Attempt, CellStarted, Crashed, Data, Event, Finished, GpuSamples, Stage
from warehouse.records.level import parse_levels
from warehouse.records.reading import Reading
from warehouse.records.run_state import RunHistory
from warehouse.store import journal
from warehouse.store.journal import Journal

PLAN = RunPlan(name="p", model="m", levels=tuple(parse_levels("0,40")), tasks=(TaskSpec("piqa"),), limit=0.5)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(digests, "_WORTH_A_FILE", 1)
    return tmp_path / "results.duckdb"


def create(database: Path, *events: Data) -> RunDir:
    run = RunDir.create(runs_root(database), PLAN, database)
    say(run, Attempt(attempt=1, pid=1, host="h", provenance={}), *events)
    return run


def say(run: RunDir, *events: Data) -> None:
    writer = Journal(run.journal_path)
    for event in events:
        writer.append(event)
    writer.close()


def told(database: Path) -> dict[str, Digest | UserError]:
    found = Digests.load(database)
    answer = {run.run_id: digest for run, digest in found.runs()}
    found.save()
    return answer


def states(database: Path) -> list[str]:
    return [digest.state if isinstance(digest, Digest) else "damaged" for digest in told(database).values()]


def index(database: Path) -> Path:
    return runs_root(database) / ".index.json"


def read_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "read", lambda *_, **__: pytest.fail("a journal was read"))


def test_what_has_not_changed_is_not_read_again(database: Path, monkeypatch: pytest.MonkeyPatch):
    create(database, Finished(failed=0))
    create(database, Crashed(error="ValueError: oops", detail=""))
    before = told(database)
    read_nothing(monkeypatch)
    assert told(database) == before
    assert states(database) == ["finished", "crashed"]


def test_a_journal_that_grew_is_read_again(database: Path):
    run = create(database)
    assert states(database) == ["interrupted"]
    say(run, Finished(failed=0))
    assert states(database) == ["finished"]


def test_a_journal_changed_in_place_is_read_again_though_size_and_time_are_the_same(database: Path):
    run = create(database, Finished(failed=0))
    assert states(database) == ["finished"]
    status = run.journal_path.stat()
    run.journal_path.write_bytes(run.journal_path.read_bytes().replace(b'"finished"', b'"finixhed"'))
    os.utime(run.journal_path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert states(database) == ["damaged"]


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-20], lambda text: text.replace("finished", "stopped!"), lambda _: ""]
)
def test_an_index_that_is_in_doubt_is_made_anew(database: Path, damage):
    create(database, Finished(failed=0))
    before = told(database)
    whole = index(database).read_text()
    index(database).write_text(damage(whole))
    assert told(database) == before
    assert index(database).read_text() == whole


def test_an_index_of_another_version_is_made_anew(database: Path, monkeypatch: pytest.MonkeyPatch):
    create(database, Finished(failed=0))
    told(database)
    monkeypatch.setattr(digests, "_FORMAT", 0)
    assert Digests.load(database)._entries == {}


def test_moved_together_database_and_runs_are_told_of_where_they_are(database: Path, tmp_path: Path):
    create(database, Finished(failed=0))
    told(database)
    (tmp_path / "elsewhere").mkdir()
    shutil.move(runs_root(database), tmp_path / "elsewhere")
    [(run, digest)] = Digests.load(tmp_path / "elsewhere" / "results.duckdb").runs()
    assert isinstance(digest, Digest)
    assert (run.path / digest.database).resolve() == tmp_path / "elsewhere" / "results.duckdb"


def test_runs_that_are_gone_or_of_another_database_are_left_out(database: Path):
    gone, kept = create(database), create(database)
    create(database.with_suffix(".db"))
    assert len(told(database)) == 2
    shutil.rmtree(gone.path)
    assert list(told(database)) == [kept.run_id]
    assert len(told(database.with_suffix(".db"))) == 1


def test_few_runs_are_worth_no_file_and_a_folder_that_only_reads_takes_none(
    database: Path, monkeypatch: pytest.MonkeyPatch
):
    create(database)
    monkeypatch.setattr(digests, "_WORTH_A_FILE", 2)
    told(database)
    assert not index(database).exists()
    monkeypatch.setattr(digests, "_WORTH_A_FILE", 1)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "write_text", refuse)
    assert len(told(database)) == 1


def test_a_digest_is_the_same_from_the_file(database: Path):
    run = create(database, Crashed(error="数学 \x1b[31m", detail=""))
    assert told(database) == told(database) == {run.run_id: Digest.of(run, run.history()[0])}


def start_of(database: Path, plan: RunPlan, *seconds: tuple[str, float]) -> Digest:
    """What is told of a run whose start took these stages, each as soon as the one before it had ended."""
    history = RunHistory(("0", "40"))
    time = 0.0
    for seq, (stage, took) in enumerate(seconds):
        time += took
        history.take(Event(seq, time, Stage(stage=stage, level=None, seconds=took)))
    history.take(Event(len(seconds), time, CellStarted(level="0", task="piqa")))
    return Digest.of(RunDir.create(runs_root(database), plan, database), history)


def test_a_start_is_told_without_looking_at_neurons_which_another_run_may_not_do(database: Path):
    stages = ("import libraries", 5.0), ("load model", 20.0), ("calibrate", 3.0), ("sort neurons", 4.0)
    looked = start_of(database, replace(PLAN, repair="lsq"), *stages)
    assert (looked.startup_seconds, looked.looking_seconds) == (25.0, 7.0)
    assert looked.looks[:3] == ("maw", "lsq", "self")
    resumed = start_of(database, replace(PLAN, repair="lsq"), *stages[:2], stages[3])
    assert (resumed.startup_seconds, resumed.looking_seconds) == (25.0, None)
    plain = start_of(database, PLAN, *stages[:2], stages[3])
    assert (plain.startup_seconds, plain.looking_seconds, plain.looks) == (29.0, None, ())


def test_what_devices_drew_and_what_a_profile_took_is_told(database: Path):
    history = RunHistory(("0", "40"))
    for seq, watts in enumerate((100.0, 300.0)):
        samples = [Reading(device="gpu 0", power=watts), Reading(device="gpu 1", power=50.0), Reading(device="cpu")]
        history.take(Event(seq, float(seq), GpuSamples(samples=samples)))
    for seq, (stage, took) in enumerate((("measure machine", 1.0), ("profile", 8.0), ("load levels", 2.0)), 2):
        history.take(Event(seq, 9.0, Stage(stage=stage, level=None, seconds=took)))
    plan = replace(PLAN, profile=ProfilePlan())
    digest = Digest.of(RunDir.create(runs_root(database), plan, database), history)
    assert (digest.watts, digest.profiling_seconds) == (250.0, 11.0)
    here = replace(digest, host=socket.gethostname())
    assert draws([here]) == Draws(watts={plan.model: 250.0}, profiling={plan.model: 5.5})
    assert draws([replace(digest, host="elsewhere")]) == Draws()
