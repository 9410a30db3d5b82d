"""`prune-tui diff`: what it prints and how it ends."""

from __future__ import annotations

import json
import shutil

import duckdb
import pytest
from template import copied


@pytest.fixture
def twice(shell, study):
    """The published 1B scores, and a second run with the same but for PIQA at 40 %."""
    copied(study, shell.cwd / "results.duckdb")
    data = shell.cwd / "results.csv"
    rows = ["model,pruning_pct,is_star,task,accuracy,acc_stderr"]
    for name, piqa in (("a", 0.70), ("b", 0.60)):
        text = "\n".join([*rows, "tiny,0,False,piqa,0.75,", f"tiny,40,False,piqa,{piqa},", ""])
        data.write_text(text)
        shutil.copy(data, shell.cwd / f"{name}_results.csv")
        done = shell("import", f"{name}_results.csv", "--replace")
        assert done.returncode == 0, done.stderr
    return shell


def test_the_same_and_the_different_number_are_told_apart(twice):
    done = twice("diff", "a_results.csv", "b_results.csv", "--all")
    assert done.returncode == 1
    assert "2 numbers: 1 same, 1 different." in done.stdout or "2 numbers: 1 different, 1 same." in done.stdout
    assert "without a standard error noise has no measure" in done.stdout


def test_json_and_markdown_have_the_same_verdict(twice):
    told = json.loads(twice("diff", "a_results.csv", "b_results.csv", "--format", "json").stdout)
    assert told["verdict"] == "different"
    assert {(one["level"], one["verdict"]) for one in told["numbers"]} == {("0", "same"), ("40", "different")}
    markdown = twice("diff", "a_results.csv", "b_results.csv", "--format", "markdown").stdout
    assert markdown.startswith("### study-")
    assert "| 40 " in markdown


def test_runs_that_are_the_same_end_with_0(twice):
    with duckdb.connect(twice.cwd / "results.duckdb") as con:
        con.execute("update metrics set value = 0.70 where level = '40' and task = 'piqa' and run_id like 'study-%'")
    done = twice("diff", "a_results.csv", "b_results.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n")[0].endswith(": same")


def test_no_such_run_is_one_sentence_and_2(twice):
    done = twice("diff", "a_results.csv", "nothing")
    assert done.returncode == 2
    assert "There is no run 'nothing'" in done.stderr
