"""`rename`: the journal has a run's last name, and so has whatever is made from it."""

from __future__ import annotations

import json

import pytest
from template import copied

from engine.runs.rundir import RunDir
from warehouse.records.events import Renamed, of_kind

RUN = ("run", "org/tiny", "--levels", "0,40", "--tasks", "piqa,boolq", "--name")


def name_in_database(shell) -> str:
    return json.loads(shell("sql", "select name from run_overview", "--format", "json").stdout)[0]["name"]


def test_the_last_name_counts_everywhere_and_outlives_a_resume(fake):
    assert fake(*RUN, "fail").returncode == 1
    run = RunDir(fake.runs[0])
    for name in ("first try", "the one"):
        renamed = fake("rename", "latest", name)
        assert renamed.returncode == 0, renamed.stderr
    assert renamed.stdout == f"Run {run.run_id}, first try until now, is the one.\n"
    assert [event.name for event in of_kind(run.events(), Renamed)] == ["first try", "the one"]
    assert fake("resume", "the one").returncode == 0
    assert run.name == name_in_database(fake) == "the one"
    assert "the one" in fake("runs").stdout
    assert run.plan.name == "fail"
    assert fake("merge", "--from-journals").returncode == 0
    assert name_in_database(fake) == "the one"
    assert fake("show", "fail").returncode == 2


@pytest.mark.slow
def test_a_run_that_was_not_begun_has_its_name_when_it_is(fake):
    assert fake(*RUN, "fine").returncode == 0
    fake.runs[0].joinpath("journal.jsonl").unlink()
    (fake.cwd / "results.duckdb").unlink()
    assert fake("rename", "fine", "later").returncode == 0
    assert RunDir(fake.runs[0]).history()[0].state == "queued"
    assert fake("resume", "later").returncode == 0
    assert name_in_database(fake) == "later"


@pytest.mark.slow
def test_while_a_worker_writes_the_journal_nobody_else_does(fake):
    assert fake(*RUN, "fine").returncode == 0
    run = RunDir(fake.runs[0])
    with run.lock():
        refused = fake("rename", "fine", "other")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "is being worked on by process" in refused.stderr
    assert run.name == "fine"


def test_what_is_no_name_is_refused(fake):
    assert fake(*RUN, "fine").returncode == 0
    before = (fake.runs[0] / "journal.jsonl").read_bytes()
    for name in ("", " ", "a\nb", "latest"):
        refused = fake("rename", "fine", name)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        assert "give another" in refused.stderr
    assert (fake.runs[0] / "journal.jsonl").read_bytes() == before


def test_an_import_has_no_journal_to_write_to(shell, study):
    copied(study, shell.cwd / "results.duckdb")
    refused = shell("rename", "published-llama-3.2-3b-scores", "mine")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "has no journal here that a name could be written to" in refused.stderr
