import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import RunBusyError, UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import runlock
from engine.runs.rundir import RunDir, all_runs, find, runs_root
from warehouse.records.events import Attempt, Crashed, Data, Finished, Refused, Stopped
from warehouse.records.level import parse_levels
from warehouse.records.run_state import RunState
from warehouse.store.journal import Journal, JournalError

PLAN = RunPlan(name="trial", model="m", levels=tuple(parse_levels("0,40")), tasks=(TaskSpec("piqa"), TaskSpec("mmlu")))

HOLD = """
import sys
from pathlib import Path
from engine.runs.rundir import RunDir
with RunDir(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "results.duckdb"


@pytest.fixture
def run(database: Path) -> RunDir:
    return create(database)


@pytest.fixture
def holder(run: RunDir):
    """Another process that holds the run."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def create(database: Path, name: str = "trial") -> RunDir:
    plan = RunPlan.from_dict(PLAN.to_dict() | {"name": name})
    return RunDir.create(runs_root(database), plan, database)


def write(run: RunDir, *events: Data) -> None:
    journal = Journal(run.journal_path)
    for event in events:
        journal.append(event)
    journal.close()


ATTEMPT = Attempt(attempt=1, pid=1, host="h", provenance={})


def test_the_plan_is_written_down_before_anything_starts(run: RunDir, database: Path):
    assert run.path.parent == database.with_name("results.runs")
    assert [path.name for path in run.path.iterdir()] == ["plan.json"]
    assert run.plan == PLAN
    assert run.database == database
    assert not database.exists()


def test_a_full_disk_leaves_no_half_made_run(database: Path, monkeypatch: pytest.MonkeyPatch):
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        create(database)
    assert list(runs_root(database).iterdir()) == []


def test_a_database_and_its_runs_can_be_moved_together(run: RunDir, database: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(run.path.parent, elsewhere)
    moved = RunDir(elsewhere / "results.runs" / run.run_id)
    assert moved.database == elsewhere / database.name


def test_runs_made_in_the_same_second_have_ids_of_their_own_in_order(database: Path):
    made = [create(database).run_id for _ in range(20)]
    assert len(set(made)) == 20
    assert [run.run_id for run in all_runs(database)] == sorted(made)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], RunState.QUEUED),
        ([ATTEMPT], RunState.INTERRUPTED),
        ([ATTEMPT, Stopped(reason="SIGINT")], RunState.STOPPED),
        ([ATTEMPT, Finished(failed=0)], RunState.FINISHED),
        ([ATTEMPT, Finished(failed=2)], RunState.FINISHED_WITH_FAILURES),
        ([ATTEMPT, Refused(error="no")], RunState.REFUSED),
        ([Refused(error="no")], RunState.REFUSED),
        ([ATTEMPT, Crashed(error="E", detail="")], RunState.CRASHED),
        ([ATTEMPT, Stopped(reason="SIGINT"), ATTEMPT], RunState.INTERRUPTED),
        ([ATTEMPT, Stopped(reason="SIGINT"), ATTEMPT, Finished(failed=0)], RunState.FINISHED),
    ],
)
def test_a_runs_state_follows_from_its_journal(run: RunDir, events: list, state: RunState):
    write(run, *events)
    assert run.state() == state


def test_a_held_run_is_running_whatever_its_journal_says(run: RunDir, holder: subprocess.Popen):
    write(run, ATTEMPT, Finished(failed=0))
    assert run.state() == RunState.RUNNING
    who = run.holder()
    assert who is not None
    assert who.pid == holder.pid
    assert who.is_local


def test_a_killed_holder_leaves_the_run_interrupted(run: RunDir, holder: subprocess.Popen):
    write(run, ATTEMPT)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert run.state() == RunState.INTERRUPTED
    with run.lock():
        assert run.holder() is not None


def test_two_processes_cannot_hold_a_run(run: RunDir, holder: subprocess.Popen):
    with pytest.raises(RunBusyError, match=f"process {holder.pid}"), run.lock():
        pass


def test_looking_at_a_run_does_not_keep_its_worker_out(run: RunDir, tmp_path: Path):
    run.lock_path.touch()
    look = f"""
import sys
from pathlib import Path
from engine.runs.rundir import RunDir
run = RunDir(Path({str(run.path)!r}))
print("looking", flush=True)
while True:
    run.holder()
"""
    looker = subprocess.Popen([sys.executable, "-c", look], stdout=subprocess.PIPE, text=True)
    try:
        assert looker.stdout is not None
        looker.stdout.readline()
        for _ in range(50):
            with run.lock():
                pass
    finally:
        looker.kill()
        looker.communicate()


@pytest.mark.parametrize("text", ["", "7", "[]", "{}", '{"pid": -1, "host": "h"}', '{"pid": "1", "host": "h"}'])
def test_a_lock_that_somebody_wrote_over_names_nobody(run: RunDir, monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setattr(runlock, "_PATIENCE", 0.0)
    with run.lock():
        run.lock_path.write_text(text)
        with pytest.raises(RunBusyError, match="has not said who it is"):
            run.holder()


def test_a_run_can_be_taken_again_once_released(run: RunDir):
    with run.lock():
        assert run.state() == RunState.RUNNING
    assert run.state() == RunState.QUEUED
    with run.lock():
        record = json.loads(run.lock_path.read_text())
    assert record["pid"] == os.getpid()


def test_a_run_is_found_by_id_prefix_name_or_as_the_latest(database: Path):
    first, second = create(database, "one"), create(database, "two")
    assert find(database, first.run_id) == first
    assert find(database, second.run_id[:-1]) == second
    assert find(database, "one") == first
    assert find(database, "latest") == second


def test_two_databases_that_share_a_folder_of_runs_keep_them_apart(tmp_path: Path):
    (duckdb, other) = (tmp_path / "results.duckdb", tmp_path / "results.db")
    first, second = create(duckdb, "same"), create(other, "same")
    assert first.path.parent == second.path.parent
    assert all_runs(duckdb) == [first]
    assert all_runs(other) == [second]
    assert find(other, "latest") == second
    with pytest.raises(UserError, match="There is no run"):
        find(duckdb, second.run_id)


def test_runs_are_found_under_the_new_name_of_their_database(database: Path, run: RunDir, tmp_path: Path):
    run.path.parent.rename(tmp_path / "renamed.runs")
    assert [found.run_id for found in all_runs(tmp_path / "renamed.duckdb")] == [run.run_id]
    (tmp_path / "renamed.db").symlink_to("renamed.duckdb")
    assert [found.run_id for found in all_runs(tmp_path / "renamed.db")] == [run.run_id]


def test_a_run_fills_the_database_that_was_renamed_with_its_folder_of_runs(database: Path, run: RunDir, tmp_path: Path):
    database.touch()
    database.rename(tmp_path / "renamed.duckdb")
    run = RunDir(run.path.parent.rename(tmp_path / "renamed.runs") / run.run_id)
    assert run.database == tmp_path / "renamed.duckdb"
    database.touch()  # a new one under the old name is another one
    assert run.database == tmp_path / "renamed.duckdb"


def test_a_run_fills_the_renamed_database_for_which_a_link_was_made(database: Path, run: RunDir, tmp_path: Path):
    (tmp_path / "renamed.duckdb").touch()
    (tmp_path / "renamed.runs").symlink_to("results.runs")
    assert RunDir(tmp_path / "renamed.runs" / run.run_id).database == tmp_path / "renamed.duckdb"
    assert run.database == database


def test_a_run_beside_a_link_fills_the_file_that_the_link_means(tmp_path: Path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "real.duckdb").touch()
    (tmp_path / "link.duckdb").symlink_to("kept/real.duckdb")
    (tmp_path / "link.runs").mkdir()
    assert create(tmp_path / "link.duckdb").database == tmp_path / "kept" / "real.duckdb"


def test_an_ambiguous_name_lists_the_candidates(database: Path):
    runs = [create(database, "same"), create(database, "same")]
    with pytest.raises(UserError, match="fits 2 runs") as caught:
        find(database, "same")
    assert all(run.run_id in str(caught.value) for run in runs)


@pytest.mark.parametrize("text", ["nonesuch", "", "../etc"])
def test_an_unknown_run_is_refused_with_the_latest_ones(database: Path, run: RunDir, text: str):
    with pytest.raises(UserError, match=run.run_id):
        find(database, text)


def test_without_any_run_it_says_how_to_start_one(tmp_path: Path):
    with pytest.raises(UserError, match="prune-tui run"):
        find(tmp_path / "results.duckdb", "latest")


def test_runs_of_a_database_that_got_another_ending_are_told_of(tmp_path: Path):
    create(tmp_path / "results.db")
    with pytest.raises(UserError, match=r"no runs of results\.duckdb in .*it holds runs of results\.db \(renamed\?"):
        find(tmp_path / "results.duckdb", "latest")
    (tmp_path / "results.db").touch()
    with pytest.raises(UserError, match=r"it holds runs of results\.db: start one"):
        find(tmp_path / "results.duckdb", "latest")
    (tmp_path / "results.db").rename(tmp_path / "results.duckdb")
    (tmp_path / "results.db").symlink_to("results.duckdb")
    assert find(tmp_path / "results.duckdb", "latest").name == "trial"


def test_one_damaged_plan_does_not_hide_the_other_runs(database: Path, run: RunDir):
    broken = create(database, "broken")
    (broken.path / "plan.json").write_text("{")
    assert find(database, "trial") == run
    with pytest.raises(UserError, match="damaged"):
        _ = broken.plan


def test_a_plan_of_another_version_is_refused(run: RunDir):
    record = json.loads((run.path / "plan.json").read_text())
    record["plan"]["from_the_future"] = 1
    (run.path / "plan.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match="another version"):
        _ = run.plan


def test_a_truncated_last_line_is_left_for_later_and_damage_before_it_is_named(run: RunDir):
    write(run, ATTEMPT, Stopped(reason="SIGINT"))
    with run.journal_path.open("a") as file:
        file.write('{"seq": 2, "t": 1.0, "ki')
    assert run.state() == RunState.STOPPED
    with run.journal_path.open("a") as file:
        file.write("\n")
    with pytest.raises(JournalError, match="damaged at byte"):
        run.state()


def test_a_database_behind_a_link_has_the_runs_of_the_file_that_is_meant(tmp_path):
    (tmp_path / "data").mkdir()
    link = tmp_path / "link.duckdb"
    link.symlink_to(tmp_path / "data" / "results.duckdb")
    assert runs_root(link) == tmp_path / "data" / "results.runs"
    (tmp_path / "link.runs").mkdir()
    assert runs_root(link) == tmp_path / "link.runs"
