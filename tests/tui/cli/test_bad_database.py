"""`--db` names what is no database of ours: every command says so in a sentence, and ends with exit code 2."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.rundir import RunDir, runs_root
from tui.cli.app import app
from tui.cli.checks import Finding
from tui.cli.guard import guarded
from warehouse.records.level import parse_levels
from warehouse.store import db


def _text(path: Path) -> None:
    path.write_text("minutes of the meeting\n" * 1000)


def _empty(path: Path) -> None:
    path.touch()


def _folder(path: Path) -> None:
    path.mkdir()


def _foreign(path: Path) -> None:
    with duckdb.connect(path) as con:
        con.execute("create table t (x int)")


def _of_newer_program(path: Path) -> None:
    with db.open_write(path):
        pass
    with duckdb.connect(path) as con:
        con.execute("insert into schema_migrations values (9999, 'of the future', 'x', now())")


def _sqlites(path: Path) -> None:
    with closing(sqlite3.connect(path)) as con, con:
        con.execute("create table t (a)")


def _damaged(path: Path) -> None:
    with db.open_write(path):
        pass
    os.truncate(path, path.stat().st_size // 2)


def _unreadable(path: Path) -> None:
    _of_newer_program(path)
    path.chmod(0)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "text": (_text, "is not a DuckDB database"),
    "an empty file": (_empty, "is not a DuckDB database"),
    "SQLite's": (_sqlites, "is not a DuckDB database"),
    "a folder": (_folder, "is a folder"),
    "another program's tables": (_foreign, "is a DuckDB file without prune-tui's tables"),
    "of a newer prune-tui": (_of_newer_program, "was written by a newer prune-tui"),
    "damaged": (_damaged, "is damaged"),
    "unreadable": (_unreadable, "is not readable"),
    "a link to itself": (_loop, "is a link that leads nowhere but to itself"),
}
# Tables of another program stand in nobody's way: ours are made beside them.
TAKES_FOREIGN = ("import",)
COMMANDS = [
    "demo",
    "run m --tasks piqa",
    "resume latest",
    "stop latest",
    "runs",
    "runs --json",
    "replay latest",
    "serve",
    "export deltas --model m",
    "export --bundle b.zip",
    "sql select",
    "why m 40 hellaswag",
    "diff a b",
    "claims",
    "rules",
    "rules show study",
    "rules use study",
    "rules delete study",
    "import published",
    "merge",
    "merge --rebuild",
    "merge --from-journals",
    "save m --level 40 --to out",
]
slow = pytest.mark.slow


@pytest.fixture
def prune_tui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRUNE_TUI_DB", "unused.duckdb")

    def call(command: str) -> tuple[int, str, list[str]]:
        words = command.split()
        code = guarded(app, words if "--db" in words else [*words, "--db", "results.duckdb"])
        out, err = capsys.readouterr()
        return code, out, err.splitlines()

    return call


# Fast are every command with one bad file, and every bad file with some commands.
GRID = [
    pytest.param(command, bad, marks=() if bad == "text" or command in ("sql select", "runs", "merge") else slow)
    for command in COMMANDS
    for bad in BAD
]


@pytest.mark.parametrize(("command", "bad"), GRID)
def test_every_command_says_what_is_wrong_with_the_file(prune_tui, command: str, bad: str):
    make, words = BAD[bad]
    if make is _foreign and command.startswith(TAKES_FOREIGN):
        pytest.skip("our tables are made beside the others")
    if make is _unreadable and os.geteuid() == 0:
        pytest.skip("root reads everything")
    make(Path("results.duckdb"))
    before = sorted(Path().iterdir())
    code, out, said = prune_tui(command)
    assert (code, out, len(said)) == (2, "", 1), said
    assert said[0].startswith("prune-tui: ")
    assert "results.duckdb" in said[0]
    assert words in said[0]
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("place", [".", "/", ".."])
@pytest.mark.parametrize("command", ["runs", "export deltas --model m -o taken.csv", "stop latest"])
def test_a_folder_without_a_name_is_no_database(prune_tui, command: str, place: str):
    Path("taken.csv").touch()
    code, out, said = prune_tui(f"{command} --db {place}")
    assert (code, out, len(said)) == (2, "", 1), said
    assert "defect" not in said[0]


@pytest.mark.parametrize("bad", BAD)
def test_doctor_finds_it(prune_tui, bad: str, monkeypatch):
    make, words = BAD[bad]
    if make is _unreadable and os.geteuid() == 0:
        pytest.skip("root reads everything")
    for slow in ("torch", "hub"):
        monkeypatch.setattr(f"tui.cli.checks.{slow}", lambda *_: Finding("slow", "fine", "not looked at"))
    make(Path("results.duckdb"))
    code, out, said = prune_tui("doctor")
    assert code in (1, 2)
    assert words in " ".join([*out.split(), *said])


def test_runs_are_listed_all_the_same_and_the_file_complained_of(prune_tui):
    database = Path("results.duckdb")
    plan = RunPlan(name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))
    run = RunDir.create(runs_root(database), plan, database)
    _text(database)
    code, out, said = prune_tui("runs")
    assert code == 2
    assert run.run_id in out
    assert said == ["prune-tui: results.duckdb is not a DuckDB database: name another file with --db."]
