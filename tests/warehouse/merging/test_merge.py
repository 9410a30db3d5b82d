from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cases import one_in

from warehouse.errors import DatabaseBusyError, UserError
from warehouse.merging import merge
from warehouse.records.events import Event, Log
from warehouse.store import journal, statements
from warehouse.store.journal import Journal, JournalError

SAMPLES = pl.Schema(
    {
        "doc_id": pl.Int32,
        "filter": pl.String,
        "metric": pl.String,
        "value": pl.Float64,
        "weight": pl.Float64,
        "response": pl.String,
    }
)
TABLES = (
    "merged_events", "runs", "attempts", "models", "variants", "tasks", "stages", "cells", "metrics", "samples",
    "failures", "events", "gpu_samples",
)  # fmt: skip


@pytest.fixture
def run(new_run):
    run = new_run("r1")
    run.start()
    return run


@pytest.fixture
def whole(database, ask):
    """All rows of all tables, in an order of their own."""

    def rows() -> dict[str, list[tuple]]:
        exclude = {"merged_events": "exclude (merged_at, journal_end)"}
        return {table: ask(f"select * {exclude.get(table, '')} from {table} order by all") for table in TABLES}

    return rows


def write_samples(path: Path, documents: int = 2) -> None:
    rows = [(i, "none", "acc", float(i % 2), None, "0") for i in range(documents)]
    pl.DataFrame(rows, schema=SAMPLES, orient="row").write_parquet(path)


def test_each_kind_of_event_becomes_its_rows(run, database, ask, metric):
    run.line(
        "task", task="piqa", part_of=None, version="1", output_type="multiple_choice", num_fewshot=0, n_docs=10,
        n_requests=20, dataset="piqa", dataset_fingerprint="f", requests_hash="h",
    )  # fmt: skip
    run.line("stage", stage="load model", level=None, seconds=1.5)
    run.line("gpu", samples=[{"memory_used": 1}, {"memory_used": 2}])
    run.line("log", level_name="warning", message="careful")
    run.cell("0", "piqa", metrics=[metric("acc", 0.5, stderr=0.1), metric("acc_norm", 0.6)])
    run.line("cell_failed", level="20", task="piqa", error="out of memory", detail="Traceback")
    run.line("finished", failed=1)

    assert merge.merge_run(database, run.folder) == run.seq
    assert ask("select run_id, name, origin, method, conditions, dtype, plan->>'model' from runs") == [
        ("r1", "r1", "run", "maw", "all documents, float32", "float32", "org/Tiny")
    ]
    assert ask("select attempt, host, provenance->'versions'->>'torch' from attempts") == [(1, "here", "2.13")]
    assert ask("select model, weights_hash, parameters, bytes from models") == [("org/Tiny", "w1", 1000, 4000)]
    assert ask("select level, pruning_pct, intermediate_size, expansion_ratio from variants order by seq") == [
        ("0", 0.0, 100, 4.0),
        ("20", 20.0, 80, 3.2),
        ("40", 40.0, 60, 2.4),
    ]
    assert ask("select task, num_fewshot, n_docs, requests_hash from tasks") == [("piqa", 0, 10, "h")]
    assert ask("select stage, level, seconds from stages") == [("load model", None, 1.5)]
    assert ask("select sample->>'memory_used' from gpu_samples order by 1") == [("1",), ("2",)]
    assert ask(
        "select level, task, metric, filter, value, stderr, n, higher_is_better, epoch(recorded_at) "
        "from metrics order by metric"
    ) == [
        ("0", "piqa", "acc", "none", 0.5, 0.1, 10, True, 1.75e9),
        ("0", "piqa", "acc_norm", "none", 0.6, None, 10, True, 1.75e9),
    ]
    assert ask("select level, task, error, detail from failures") == [("20", "piqa", "out of memory", "Traceback")]
    assert ask("select kind, message, detail from events order by seq") == [
        ("log", "careful", "warning"),
        ("finished", "1", None),
    ]


def test_the_ledger_has_one_row_for_each_event_that_was_kept(run, database, ask):
    run.line("progress", level="0", task="piqa", done=1, total=2, tokens=3)
    run.line("cell_started", level="0", task="piqa")
    seq = run.cell("0", "piqa", 0.5)
    merge.merge_run(database, run.folder)
    assert ask("select kind from merged_events order by seq") == [
        ("plan",), ("attempt",), ("model",), ("variant",), ("variant",), ("variant",), ("cell",),
    ]  # fmt: skip
    assert ask("select run_id, seq from merged_events where kind = 'cell'") == [("r1", seq)]


@pytest.mark.slow
def test_merging_again_changes_nothing(run, database, whole):
    run.cell("0", "piqa", 0.5)
    merge.merge_run(database, run.folder)
    before = whole()
    assert merge.merge_run(database, run.folder) == 0
    assert whole() == before


@pytest.mark.slow
def test_merging_as_the_run_goes_gives_what_merging_at_the_end_gives(run, new_run, database, whole, tmp_path):
    for level in ("0", "20", "40"):
        run.line("progress", level=level, task="piqa", done=1, total=2, tokens=3)
        run.cell(level, "piqa", 0.5)
        assert merge.merge_run(database, run.folder) > 0
    step_by_step = whole()
    database.unlink()
    merge.merge_run(database, run.folder)
    assert whole() == step_by_step


def test_a_torn_last_line_waits_until_it_is_whole(run, database, ask):
    run.cell("0", "piqa", 0.5)
    content = run.path.read_bytes()
    run.path.write_bytes(content[:-10])
    merge.merge_run(database, run.folder)
    assert ask("select count(*) from metrics") == [(0,)]
    run.path.write_bytes(content)
    assert merge.merge_run(database, run.folder) == 1
    assert ask("select count(*) from metrics") == [(1,)]


def test_a_damaged_line_is_named_and_nothing_of_that_merge_is_kept(run, database, ask):
    with run.path.open("a") as file:
        file.write("not json\n")
    run.cell("0", "piqa", 0.5)
    with pytest.raises(JournalError, match="damaged at byte"):
        merge.merge_run(database, run.folder)
    assert ask("select count(*) from runs") == [(0,)]


def test_a_journal_that_was_cut_back_and_continued_is_merged_on(run, database, ask):
    """As the journal's writer does after a crash: the torn line goes, another takes its number."""
    run.cell("0", "piqa", 0.5)
    merge.merge_run(database, run.folder)
    with run.path.open("a") as file:
        file.write('{"seq": 7, "t": 1750')
    journal = Journal(run.path)
    journal.append(Log(message="resumed"))
    journal.close()
    assert merge.merge_run(database, run.folder) == 1
    assert ask("select message from events") == [("resumed",)]


@pytest.mark.slow
@pytest.mark.parametrize("kept", [6, 7, 8, 9])
def test_events_that_took_the_numbers_of_lost_ones_are_merged_and_the_lost_ones_kept(run, database, ask, kept):
    """A copy of the journal from before the last merge was put back, and the run resumed."""
    for value, task in enumerate(["piqa", "boolq", "arc", "gsm8k"]):
        run.cell("0", task, float(value), t=value)
    merge.merge_run(database, run.folder)
    run.path.write_bytes(b"".join(run.path.read_bytes().splitlines(keepends=True)[:kept]))
    assert merge.merge_run(database, run.folder) == 0
    run.seq = kept
    run.line("log", 60, level_name="info", message="resumed")
    for task in ["piqa", "boolq", "arc", "gsm8k"][kept - 6 :]:
        run.cell("0", task, 10.0, t=60)
    run.line("finished", 61, failed=0)
    assert merge.merge_run(database, run.folder) == 12 - kept
    assert merge.merge_run(database, run.folder) == 0
    measured = {(task, value) for task, value in ask("select task, value from metrics")}
    assert {("piqa", 0.0), ("boolq", 1.0), ("arc", 2.0), ("gsm8k", 3.0)} <= measured
    assert len(measured) == ask("select count(*) from metrics")[0][0] == 4 + 10 - kept
    assert ask("select state from run_overview") == [("finished",)]
    assert ask("select seq from merged_events where seq >= 0 order by 1") == [(seq,) for seq in range(12)]
    current = ask("select task, value from current_metrics where level = '0' order by position, task")
    assert {value for task, value in current if (task, 10.0) in measured} <= {10.0}


def test_a_journal_that_has_less_than_was_merged_is_said_until_the_run_went_on(run, database):
    for task in ("piqa", "boolq"):
        run.cell("0", task, 0.5)
    root = run.folder.parent
    assert merge.merge_all(database, root).cut == {}
    whole = run.path.read_bytes()
    lines = whole.splitlines(keepends=True)
    run.path.write_bytes(b"".join(lines[:-1]))
    [said] = merge.merge_all(database, root).cut.values()
    assert f"ends after line {len(lines) - 1}, byte {run.path.stat().st_size:,}, and had been merged" in said
    assert said.endswith(f"up to byte {len(whole):,}: it was cut back. The database keeps what it has of the run.")
    run.seq -= 1
    run.line("log", 60, level_name="info", message="resumed")
    assert merge.merge_all(database, root).cut == {}
    assert merge.merge_all(database, root).cut == {}


def test_a_journal_that_is_gone_after_it_was_merged_is_said(run, database):
    run.cell("0", "piqa", 0.5)
    root = run.folder.parent
    (root / "20260101-000000-queued").mkdir()
    merge.merge_all(database, root)
    size = run.path.stat().st_size
    run.path.unlink()
    assert merge.merge_all(database, root).cut == {
        run.folder.name: f"{run.path} is gone, and had been merged up to byte {size:,}. "
        "The database keeps what it has of the run."
    }


def test_a_lost_event_of_the_same_length_is_told_from_the_one_in_its_place(run, database, ask):
    run.cell("0", "piqa", 0.25, t=1)
    merge.merge_run(database, run.folder)
    lines = run.path.read_bytes().splitlines(keepends=True)
    run.path.write_bytes(b"".join(lines[:-1]))
    run.seq -= 1
    run.cell("0", "piqa", 0.75, t=2)
    run.line("log", 3, level_name="info", message="resumed")
    assert merge.merge_run(database, run.folder) == 2
    assert ask("select value from metrics order by seq") == [(0.25,), (0.75,)]


def test_a_folder_without_a_journal_is_refused(tmp_path, database):
    with pytest.raises(UserError, match="not a run folder"):
        merge.merge_run(database, tmp_path)


def test_fields_of_a_newer_program_are_passed_over(run, database, ask, metric):
    run.cell("0", "piqa", metrics=[metric("acc", 0.5, colour="green")], shape="round")
    run.line("weather", sky="blue")
    merge.merge_run(database, run.folder)
    assert ask("select value from metrics") == [(0.5,)]


def test_nan_and_infinities_arrive_as_they_left(run, database, ask, metric):
    values = [math.nan, math.inf, -math.inf]
    run.cell("0", "odd", metrics=[metric(f"m{i}", value, stderr=value) for i, value in enumerate(values)])
    run.line("attempt", attempt=2, pid=1, host="h", provenance={"loss": math.nan})
    merge.merge_run(database, run.folder)
    found = ask("select value, stderr from metrics order by metric")
    assert [[str(number) for number in row] for row in found] == [["nan"] * 2, ["inf"] * 2, ["-inf"] * 2]
    assert ask("select provenance->>'loss' from attempts where attempt = 2") == [("NaN",)]


@pytest.mark.parametrize("name", ["0-piqa-1.parquet", "odd [1] * name?.parquet"])
def test_a_cells_samples_come_with_it(run, database, ask, name):
    write_samples(run.folder / "samples" / name)
    seq = run.cell("0", "piqa", 0.5, samples=f"samples/{name}")
    merge.merge_run(database, run.folder)
    assert ask("from samples order by doc_id") == [
        ("r1", seq, "0", "piqa", 0, "none", "acc", 0.0, None, "0", None),
        ("r1", seq, "0", "piqa", 1, "none", "acc", 1.0, None, "0", None),
    ]


@pytest.mark.parametrize("content", one_in(3, [None, b"PAR1 no more", b""]), ids=["missing", "corrupt", "empty"])
def test_samples_that_cannot_be_read_do_not_cost_the_metrics(run, database, ask, content):
    if content is not None:
        (run.folder / "samples" / "a.parquet").write_bytes(content)
    run.cell("0", "piqa", 0.5, samples="samples/a.parquet")
    merge.merge_run(database, run.folder)
    assert ask("select value from metrics") == [(0.5,)]
    assert ask("select kind, task, message like '%a.parquet%' from events") == [("samples_unreadable", "piqa", True)]


def test_samples_outside_the_runs_folder_are_not_read(run, database, ask, tmp_path):
    write_samples(tmp_path / "secret.parquet")
    run.cell("0", "piqa", 0.5, samples="../../secret.parquet")
    merge.merge_run(database, run.folder)
    assert ask("select count(*) from samples") == [(0,)]


def test_a_busy_file_is_reported_and_costs_nothing(run, database, held, ask):
    merge.merge_run(database, run.folder)
    run.cell("0", "piqa", 0.5)
    with held(database, "reading"), pytest.raises(DatabaseBusyError):
        merge.merge_run(database, run.folder)
    assert merge.merge_run(database, run.folder) == 1
    assert ask("select value from metrics") == [(0.5,)]


def test_merging_all_runs_goes_on_past_one_that_cannot_be_read(run, new_run, database, ask):
    bad, worse, good = new_run("r0"), new_run("r1b"), new_run("r2")
    bad.path.write_text("what?\n")
    worse.start()
    worse.path.write_text(worse.path.read_text().replace('"intermediate_size"', '"intermediate_sizf"'))
    good.start()
    report = merge.merge_all(database, run.folder.parent)
    assert report.merged == {"r1": 6, "r2": 6}
    assert list(report.unreadable) == ["r0", "r1b"]
    assert "line 3 (intermediate_size is missing)" in report.unreadable["r1b"]
    assert ask("select run_id from runs order by 1") == [("r1",), ("r2",)]


def test_runs_of_another_database_in_the_same_folder_are_left_to_it(run, new_run, database, ask):
    run.path.parent.joinpath("plan.json").write_text('{"database": "../../results.duckdb"}')
    other = new_run("r2")
    other.start()
    other.path.parent.joinpath("plan.json").write_text('{"database": "../../results.db"}')
    assert list(merge.merge_all(database, run.folder.parent).merged) == ["r1"]


def test_merging_all_of_no_runs_makes_no_file(tmp_path, database):
    assert merge.merge_all(database, tmp_path / "results.runs").merged == {}
    assert not database.exists()


_MERGE = """
import sys
from pathlib import Path
from warehouse import merge
print("go", flush=True)
merge.merge_run(Path(sys.argv[1]), Path(sys.argv[2]), wait=5)
"""


@pytest.mark.slow
def test_a_merge_killed_at_any_moment_leaves_all_of_an_event_or_none(run, database, whole, tmp_path):
    """Killed at ten random moments while cells with samples come in; then once more in peace."""
    moments = random.Random(7)
    for cell in range(10):
        name = f"samples/{cell}.parquet"
        write_samples(run.folder / name, documents=20_000)
        run.cell("0", f"task{cell}", 0.5, samples=name)
        process = subprocess.Popen(
            [sys.executable, "-c", _MERGE, str(database), str(run.folder)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.communicate()
    merge.merge_run(database, run.folder)
    after_kills = whole()
    fresh = tmp_path / "fresh.duckdb"
    database.rename(tmp_path / "killed.duckdb")
    merge.merge_run(fresh, run.folder)
    fresh.rename(database)
    assert whole() == after_kills
    assert len(after_kills["samples"]) == 200_000
    leftovers = {path.name for path in tmp_path.iterdir()} - {"results.runs", "results.duckdb", "killed.duckdb"}
    assert {name for name in leftovers if not name.endswith(".new")} <= {"killed.duckdb.wal"}


@pytest.mark.slow
def test_a_merge_after_a_cell_does_as_much_however_many_came_before(run, database, monkeypatch):
    """A worker merges after every cell: it must cost little beside an evaluation."""
    asked: list[str] = []
    read: list[int] = []
    query, journal_read = statements.query, journal.read

    def noted(name: str) -> str:
        asked.append(name)
        return query(name)

    def counted(*arguments: Any, **options: Any) -> tuple[list[Event], int]:
        events, end = journal_read(*arguments, **options)
        read.append(len(events))
        return events, end

    monkeypatch.setattr(statements, "query", noted)
    monkeypatch.setattr(journal, "read", counted)

    def merged_after(cells: range) -> tuple[list[str], list[int]]:
        for cell in cells:
            run.cell("0", f"task{cell}", 0.5)
            run.line("progress", level="0", task=f"task{cell}", done=1, total=2, tokens=3)
        merge.merge_run(database, run.folder)
        run.cell("20", f"task{cells[-1]}", 0.5)
        asked.clear()
        read.clear()
        merge.merge_run(database, run.folder)
        return [*asked], [*read]

    few = merged_after(range(2))
    assert few[1] == [1]  # of the journal, what is new
    assert few == merged_after(range(2, 12))
