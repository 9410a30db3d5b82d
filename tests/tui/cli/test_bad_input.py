"""Whatever a person gets wrong: one sentence on standard error, exit code 2, no traceback, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cases import one_in
from template import copied

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.rundir import RunDir, runs_root
from warehouse.records.events import Attempt, Stopped
from warehouse.records.level import parse_levels
from warehouse.store.journal import Journal


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "No model was given: name one on the hub, a folder, demo, a sweep file, or a run with --like."),
        (["run", "m"], "No task was given"),
        (["run", "m", "--tasks", ","], "with --suite, or tasks with --tasks"),
        (["run", "m", "--tasks", "piqa", "--levels", "100"], "outside 0–99"),
        (["run", "m", "--tasks", "piqa", "--levels", "-5"], "'-5' is not a pruning level"),
        (["run", "m", "--tasks", "piqa", "--levels", "20,twenty"], "'twenty' is not a pruning level"),
        (["run", "m", "--tasks", "piqa", "--levels", "20,40,20"], "20 is given more than once"),
        (["run", "m", "--tasks", "piqa", "--levels", ""], "choose some with --levels, such as 0,20,40"),
        (["run", "m", "--tasks", "piqa,piqa@5"], "piqa is given more than once"),
        (["run", "m", "--tasks", "gsm8k@five"], "'gsm8k@five' is not a task"),
        (["run", "m", "--suite", "papers"], "no suite 'papers'"),
        (["run", "m", "--suite", "paper", "--tasks", "piqa"], "both given"),
        (["run", "m", "--tasks", "piqa", "--limit", "0"], "--limit 0"),
        (["run", "m", "--tasks", "piqa", "--limit", "ten"], "--limit"),
        (["run", "m", "--tasks", "piqa", "--method", "magic"], "--method"),
        (["run", "m", "--tasks", "piqa", "--method", "maw,maw"], "maw is given more than once"),
        (["run", "m", "--tasks", "piqa", "--repair", "glue"], "no repair 'glue': choose none or lsq"),
        (["run", "m", "--tasks", "piqa", "--repair", "lsq", "--calibration", "no.txt"], "no calibration text no.txt"),
        (["run", "m", "--tasks", "piqa", "--repair", "lsq", "--calibration-tokens", "0"], "--calibration-tokens 0"),
        (["run", "m", "--tasks", "piqa", "--calibration", "self"], "maw without repair looks at none"),
        (["run", "m", "--tasks", "piqa", "--method", "maw,vow", "--detach"], "one model, method and repair"),
        (["run", "m", "--tasks", "piqa", "--levels", "0", "--repair", "none,lsq"], "Level 0 alone is the same"),
        (["demo", "--repair", "glue"], "no repair 'glue'"),
        (["save", "demo", "--level", "40", "--to", "d", "--repair", "glue"], "no repair 'glue'"),
        (["save", "demo", "--level", "40", "--to", "d", "--calibration", "self"], "looks at no calibration text"),
        (["save", "demo", "--level", "40", "--to", "d", "--like", "nobody"], "There are no runs"),
        (["run", "m", "--tasks", "piqa", "--dtype", "int4"], "--dtype"),
        (["run", "m", "--tasks", "piqa", "--divisor", "0"], "divisor of 0"),
        (["run", "m", "--tasks", "piqa", "--include-path", "nowhere"], "folder: give --include-path the one"),
        (["run", "a", "b", "--tasks", "piqa", "--detach"], "one model"),
        (["run", "m", "--tasks", "piqa", "--method", "maw", "--method", "vow"], "--method is given 2 times"),
        (
            ["run", "m", "--tasks", "piqa", "--db", "a", "--db=b"],
            "--db is given 2 times, and takes one value: keep one",
        ),
        (["runs", "--db", "a", "--db", "b", "--db", "c"], "--db is given 3 times"),
        (["--db", "a", "--db", "b", "runs"], "--db is given 2 times"),
        (["rules", "show", "study", "--db", "a", "--db", "b"], "--db is given 2 times"),
        (["run", "m", "--tasks", "piqa", "--levels", "w" + "9" * 400], "is not a pruning level"),
        (["run", "m", "--tasks", "piqa@" + "9" * 5000], "is not a task"),
        (
            ["run", "m", "--tasks", "piqa", "--db", "a?.duckdb"],
            "DuckDB cannot keep a database under a path with ? in it",
        ),
        (["import", "published", "--db", "a\\b.duckdb"], "under a path with \\ in it: choose another --db"),
        (["demo", "--db", "a[1].duckdb"], "could read another run's samples: choose another --db"),
        (["resume", "latest"], "no runs in results.runs"),
        (["stop", "20250101"], "no runs in results.runs"),
        (["save", "m", "--level", "40"], "Missing option '--to'"),
        (["save", "m", "--level", "400", "--to", "out"], "outside 0–99"),
        (["export", "deltas", "--model", "m"], "no database results.duckdb"),
        (["export", "gammas", "--model", "m"], "gammas"),
        (["export", "deltas", "--model", "m", "--format", "xls"], "--format"),
        (["sql", "select 1"], "no database results.duckdb"),
        (["sql"], "Give one SQL statement"),
        (["sql", "select 1", "--file", "q.sql"], "Give one SQL statement"),
        (["sql", "--file", "q.sql"], "no file q.sql"),
        (["import", "nowhere.json"], "nowhere.json"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["runs", "--frobnicate"], "No such option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_sentence(shell, arguments: list[str], words: str):
    assert words in complaint(shell(*arguments))
    assert list(shell.cwd.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "m", "--tasks", "piqa"],
        ["merge"],
        ["import", "published"],
        ["export", "deltas", "--model", "m"],
        ["sql", "select 1"],
        ["resume", "latest"],
    ],
    ids=" ".join,
)
def test_a_file_that_is_no_duckdb_database_is_left_alone(shell, arguments: list[str]):
    text = "minutes of the meeting\n" * 1000
    (shell.cwd / "results.duckdb").write_text(text)
    if arguments[0] in ("resume", "merge"):
        a_run(shell.cwd)
    assert "is not a DuckDB database" in complaint(shell(*arguments))
    assert (shell.cwd / "results.duckdb").read_text() == text


def test_a_file_that_is_not_text_is_said_to_be_none(shell):
    (shell.cwd / "bin").write_bytes(b"\xff\xfe\x00")
    for arguments in (["sql", "--file", "bin"], ["rules", "set", "bin"]):
        assert "bin is not a text file in UTF-8" in complaint(shell(*arguments))


def a_run(cwd: Path) -> RunDir:
    plan = RunPlan(name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))
    database = cwd / "results.duckdb"
    run = RunDir.create(runs_root(database), plan, database)
    journal = Journal(run.journal_path)
    journal.append(Attempt(attempt=1, pid=1, host="h", provenance={}))
    journal.append(Stopped(reason="SIGINT"))
    journal.close()
    return run


HOLD = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.mark.parametrize(
    "arguments",
    one_in(4, [["import", "published"], ["export", "deltas", "--model", "m"], ["sql", "select 1"], ["merge"]]),
    ids=" ".join,
)
def test_a_database_that_another_process_holds_is_named_with_its_holder(shell, arguments: list[str]):
    a_run(shell.cwd)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, "results.duckdb"],
        cwd=shell.cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        holder.stdout.readline()
        assert f"PID {holder.pid}" in complaint(shell(*arguments))
        holder.communicate("")


UNWRITABLE = Path("/sys/kernel")  # not even root makes files there


@pytest.mark.skipif(not UNWRITABLE.is_dir(), reason=f"needs {UNWRITABLE}, where nobody can make files")
@pytest.mark.parametrize(
    "arguments", [["run", "m", "--tasks", "demo_grammar"], ["import", "published"], ["demo"]], ids=" ".join
)
def test_a_folder_that_cannot_be_written(shell, arguments: list[str]):
    said = complaint(shell(*arguments, "--db", str(UNWRITABLE / "results.duckdb")))
    assert str(UNWRITABLE) in said
    assert "permission" in said.lower()


def test_flags_and_options_that_take_several_values_may_stand_twice(shell):
    (shell.cwd / "tasks").mkdir()
    twice = ("-q", "-q", "--include-path", "tasks", "--include-path", "tasks")
    assert "No task was given" in complaint(shell("run", "m", *twice))


def test_a_database_in_a_folder_that_is_not_there(shell):
    assert "nowhere" in complaint(shell("import", "published", "--db", "nowhere/results.duckdb"))


def test_an_unknown_run_lists_those_there_are(shell):
    run = a_run(shell.cwd)
    assert run.run_id in complaint(shell("resume", "yesterday"))


def test_a_damaged_journal_is_named_and_does_not_hide_the_runs(shell):
    run = a_run(shell.cwd)
    with run.journal_path.open("a") as file:
        file.write("rubbish\n")
    assert "is damaged at byte" in complaint(shell("resume", "latest"))
    listed = shell("runs")
    assert listed.returncode == 0
    assert run.run_id in listed.stdout
    assert "damaged" in listed.stdout


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"results": 3}', "\x00\x01", "model,task\n1,2\n"])
def test_a_corrupt_result_file_imports_nothing(shell, content: str):
    for name in ("results.json", "results.csv"):
        (shell.cwd / name).write_text(content)
        assert name in complaint(shell("import", name))
    assert not (shell.cwd / "results.duckdb").exists()


@pytest.mark.parametrize(
    "statement",
    one_in(
        4,
        [
            "selekt 1",
            "select * from nowhere",
            "drop view headline_metrics",
            "create table t (x int)",
            "copy (select 1) to 'out.csv'",
            "select * from read_text('/etc/hostname')",
            "set memory_limit = '10GB'",
            "attach 'other.duckdb'",
            "select 1; select 2",
            "",
        ],
    ),
)
def test_sql_can_only_read(shell, study: Path, statement: str):
    copied(study, shell.cwd / "results.duckdb")
    before = sorted(path.name for path in shell.cwd.iterdir())
    complaint(shell("sql", statement))
    assert sorted(path.name for path in shell.cwd.iterdir()) == before


def test_debug_shows_the_traceback_and_keeps_the_sentence(shell):
    done = shell("run", "m", "--tasks", "piqa", "--levels", "100", "--debug")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("prune-tui: Level 100")


def test_the_database_can_be_named_in_the_environment_and_the_option_wins(shell):
    assert "one.duckdb" in complaint(shell("sql", "select 1", PRUNE_TUI_DB="one.duckdb"))
    assert "two.duckdb" in complaint(shell("sql", "select 1", "--db", "two.duckdb", PRUNE_TUI_DB="one.duckdb"))
