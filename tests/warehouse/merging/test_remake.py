"""A database that other hands have changed: it is noticed, and made anew without losing what only it holds."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from template import once

from warehouse.errors import AlteredError, DatabaseBusyError, UserError
from warehouse.importers import import_published
from warehouse.merging import merge
from warehouse.merging.remake import remake
from warehouse.store import db


def slow(*values: object):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture
def merged(merged_anew):
    return merged_anew


@pytest.fixture
def root(database: Path) -> Path:
    return database.with_suffix(".runs")


@pytest.fixture
def filled(database, new_run, merged, metric, session_folder):
    """Two runs of ours, made once a session; tests alter the database by statements."""

    def make(kept: Path) -> None:
        fill(new_run, merged, metric)
        shutil.copytree(database.parent, kept)

    shutil.copytree(once(session_folder / "two-runs", make), database.parent, dirs_exist_ok=True)
    return database


def fill(new_run, merged, metric) -> None:
    for name, model in (("r1", "org/Tiny"), ("r2", "org/Other")):
        run = new_run(name)
        run.start(model=model)
        run.cell("0", "piqa", metrics=[metric("acc", 0.8), metric("acc_norm", 0.7)])
        run.cell("40", "piqa", 0.5)
        empty = {"part_of": None, "is_group": False, "version": None, "num_fewshot": 0, "seconds": 1, "samples": None}
        run.line("cell", level="40", task="nothing", metrics=[], **empty)
        run.line("gpu", samples=[])
        run.line("finished", failed=0)
        merged(run)


def alter(database: Path, *statements: str) -> None:
    with duckdb.connect(database) as con:
        for statement in statements:
            con.execute(statement)


def content(database: Path) -> list[list[tuple]]:
    with db.open_read(database) as con:
        return [
            con.execute(f"select * exclude (recorded_at) from {table} order by all").fetchall()
            for table in ("runs", "cells", "metrics", "models", "variants", "failures")
        ] + [con.execute("select run_id, seq, kind from merged_events order by all").fetchall()]


@pytest.mark.slow
def test_a_file_that_nobody_touched_has_nothing_to_say(filled, root):
    import_published(filled)
    report = merge.merge_all(filled, root)
    assert (report.altered, report.unreadable, report.unread, report.homeless) == ({}, {}, {}, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("delete from metrics where run_id = 'r1' and level = '40'", "rows of 1 event (piqa at level 40) are gone"),
        slow("delete from cells; delete from metrics", "rows of 3 events ("),
        slow("delete from variants", "rows of 3 events ("),
        (
            "insert into metrics by name select * replace (999 as seq) from metrics where run_id = 'r1' limit 1",
            "1 row was added (of no event)",
        ),
        slow(
            "insert into metrics from metrics where run_id = 'r1'",
            "3 rows were added (piqa at level 0, piqa at level 40)",
        ),
        slow("delete from merged_events where run_id = 'r1'", "rows were added (of no event"),
        (
            "update metrics set value = value + 1e-16 where run_id = 'r1' and level = '40'",
            "values of 1 event (piqa at level 40) were changed",
        ),
        (
            "insert into metrics by name select * replace ('f1' as metric) from metrics "
            "where run_id = 'r1' and level = '40'",
            "1 row was added (piqa at level 40)",
        ),
        slow("update models set parameters = 1 where run_id = 'r1'", "values of 1 event (an event model) were changed"),
        slow("update metrics set stderr = 0.1 where run_id = 'r1' and level = '40'", "values of 1 event"),
    ],
)
def test_rows_that_were_changed_by_hand_are_noticed_and_made_again(filled, root, statement, said):
    before = content(filled)
    alter(filled, statement)
    report = merge.merge_all(filled, root)
    assert said in report.altered["r1"]
    remade = remake(filled, root)
    assert content(filled) == before
    assert merge.merge_all(filled, root).altered == {}
    assert remade.kept == filled.with_name("results.altered.duckdb")
    assert (remade.events, remade.left) == (0, ())


@pytest.mark.slow
@pytest.mark.parametrize(
    "statements",
    [
        ("drop table failures",),
        slow(("alter table metrics drop column stderr",)),
        ("alter table metrics rename to m", "create view metrics as select * from m"),
        slow(("create macro round(x) as 42",)),
        slow(("drop table merged_events",)),
    ],
    ids=str,
)
def test_a_file_that_is_not_ours_any_more_is_made_anew_with_what_only_it_holds(filled, root, statements):
    shutil.rmtree(root / "r2")
    before = content(filled)
    alter(filled, "create table mine as select 42 as x", "create view of_mine as from mine", *statements)
    with pytest.raises(AlteredError):
        merge.merge_all(filled, root)
    remade = remake(filled, root)
    after = content(filled)
    kept = [[row for row in rows if row[0] == "r1"] for rows in (before[2], after[2])]
    assert kept[0] == kept[1]
    assert after[0] == before[0]
    assert len(after[2]) == len(before[2]) - (3 if "create view metrics" in statements[-1] else 0)
    assert remade.runs == 1
    with db.open_read(filled) as con:
        assert con.execute("from of_mine").fetchall() == [(42,)]


@pytest.mark.slow
def test_what_no_journal_holds_any_more_is_carried_over(filled, root):
    before = content(filled)
    shutil.rmtree(root / "r1")
    assert remake(filled, root).runs == 1
    assert content(filled) == before


@pytest.mark.slow
def test_a_rule_of_the_users_is_kept(filled, root):
    alter(filled, "insert into rule_choices values (99, 'mine', now()::timestamp)")
    remake(filled, root)
    with db.open_read(filled) as con:
        assert con.execute("select count(*) from rule_choices where number = 99").fetchall() == [(1,)]


@pytest.mark.slow
def test_every_remaking_keeps_a_file_of_its_own(filled, root):
    assert [remake(filled, root).kept.name for _ in range(2)] == ["results.altered.duckdb", "results.altered-2.duckdb"]
    assert sorted(path.name for path in filled.parent.iterdir()) == [
        "results.altered-2.duckdb", "results.altered.duckdb", "results.duckdb", "results.runs",
    ]  # fmt: skip


@pytest.mark.slow
def test_behind_a_link_the_file_itself_is_made_anew(filled, root, tmp_path):
    link = tmp_path / "link.duckdb"
    link.symlink_to(filled)
    remake(link, root)
    assert link.is_symlink()
    assert filled.with_name("results.altered.duckdb").exists()


def test_while_another_process_holds_the_file_nothing_is_done(filled, root, held):
    with held(filled, "writing"), pytest.raises(DatabaseBusyError):
        remake(filled, root, wait=0)
    assert sorted(path.name for path in filled.parent.iterdir()) == ["results.duckdb", "results.runs"]


def test_a_process_that_holds_the_file_is_waited_for(filled, root, held, monkeypatch):
    with held(filled, "writing") as process:

        def leave(seconds: float) -> None:
            process.kill()
            process.wait()

        clock = SimpleNamespace(sleep=leave, monotonic=time.monotonic, time_ns=time.time_ns)
        monkeypatch.setattr(db, "time", clock)
        remake(filled, root, wait=60)
    assert filled.with_name("results.altered.duckdb").exists()


def test_where_there_is_no_file_there_is_nothing_to_make_anew(database, root):
    with pytest.raises(UserError, match=r"no database .* prune-tui merge --db .* makes one"):
        remake(database, root)


@pytest.mark.slow
def test_a_failure_on_the_way_leaves_the_file_as_it_was(filled, root, monkeypatch):
    before = filled.read_bytes()
    monkeypatch.setattr(
        "warehouse.stats.pairing.refresh", lambda con: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(UserError, match="is full"):
        remake(filled, root)
    assert filled.read_bytes() == before
    assert sorted(path.name for path in filled.parent.iterdir()) == ["results.duckdb", "results.runs"]


def test_documents_that_cannot_be_read_are_named(database, new_run, root):
    run = new_run("r1")
    run.start()
    run.cell("0", "piqa", 0.5, samples="samples/gone.parquet")
    report = merge.merge_all(database, root)
    assert report.unread == {"r1": [f"samples/gone.parquet: there is no {run.folder / 'samples' / 'gone.parquet'}"]}


def test_a_database_that_was_renamed_says_how_many_runs_have_no_folder(filled, root):
    root.rename(root.with_name("other.runs"))
    assert merge.merge_all(filled, root).homeless == 2
