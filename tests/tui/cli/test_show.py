"""`show` and `runs`: what is told of a run, and of an import."""

from __future__ import annotations

import json

import pytest
from template import copied

RUN = ("run", "org/tiny", "--levels", "0,40", "--tasks", "piqa,boolq", "--name")


@pytest.fixture
def published(shell, study):
    copied(study, shell.cwd / "results.duckdb")
    return shell


def test_a_run_that_failed_says_why_and_how_it_goes_on(fake):
    assert fake(*RUN, "fail").returncode == 1
    shown = fake("show", "fail")
    assert shown.returncode == 0, shown.stderr
    run_id = fake.runs[0].name
    for line in (
        f"{run_id} (fail)",
        "  state       finished with failures, 2 of 4 evaluations done, 2 failed",
        "  model       org/tiny, 1,000 parameters, revision c0ffee",
        "  method      MAW",
        "  levels      0, 40",
        "  tasks       piqa, boolq",
        "  where       here, cpu",
        "  failed      level 40 piqa: OutOfMemoryError: full",
        f"  go on       prune-tui resume {run_id}",
    ):
        assert line in shown.stdout.splitlines()
    assert "org/tiny, pruned with MAW" in shown.stdout


def test_an_import_is_listed_and_shown_with_its_scores(published):
    assert "imported (published)" in published("runs").stdout
    listed = json.loads(published("runs", "--json").stdout)["runs"]
    assert [run["origin"] for run in listed] == ["published"] * 5
    shown = published("show", listed[0]["run_id"][:31])
    assert "meta-llama/Llama-3.2-1B, 1.24B parameters" in shown.stdout
    assert "0.2511" in shown.stdout
    told = json.loads(published("show", listed[0]["run_id"], "--json").stdout)
    assert set(listed[0]) < set(told)
    assert len(told["scores"]) == 91


def test_a_database_that_is_not_there_is_a_sentence(shell):
    for command in (("runs",), ("runs", "--json"), ("show", "latest")):
        refused = shell(*command)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert "There is no database results.duckdb yet" in refused.stderr


def test_a_run_that_is_not_there_is_a_sentence(published):
    refused = published("show", "published-llama-3.2")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "fits 5 runs: give more of the id" in refused.stderr


@pytest.mark.slow
def test_a_run_is_shown_whatever_became_of_the_database(fake):
    assert fake(*RUN, "fine").returncode == 0
    (fake.cwd / "results.duckdb").write_text("no database")
    shown = fake("show", "fine")
    assert (shown.returncode, shown.stderr.count("\n")) == (2, 1)
    assert "finished, 4 of 4 evaluations done" in shown.stdout
    assert "is not a DuckDB database" in shown.stderr
    (fake.cwd / "results.duckdb").unlink()
    shown = fake("show", "fine")
    assert shown.returncode == 0
    assert "wait for `prune-tui merge`" in shown.stderr
