"""`prune-tui rules`: a rule is shown, changed, used and deleted."""

from __future__ import annotations

import json

import pytest
from template import copied


@pytest.fixture
def published(shell, study):
    copied(study, shell.cwd / "results.duckdb")
    return shell


def test_every_rule_is_listed_with_the_best_level_of_each_model_and_why(published):
    done = published("rules", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    assert "keeps-most (in use)" in done.stdout
    assert "meta-llama/Llama-3.2-1B, MAW: 40 %, score 3.7 points. Highest score of 6 levels" in done.stdout
    assert "meta-llama/Llama-3.2-1B, MAW: No level holds the floors. 10 %: MMLU keeps 1.8 %" in done.stdout


def test_a_rule_is_copied_changed_used_and_deleted(published):
    text = published("rules", "show", "study").stdout
    assert 'measure = "points"' in text
    mine = published.cwd / "mine.toml"
    mine.write_text(text.replace('name = "study"', 'name = "mine"').replace("at_least = 75", "at_least = 80"))
    done = published("rules", "set", "mine.toml")
    assert done.stdout == ("mine is saved, version 1; `prune-tui rules use mine` makes it the one that counts.\n"), (
        done.stderr
    )
    assert published("rules", "use", "mine").stdout == "best_level follows mine from now on.\n"
    asked = "select pruning_pct from best_level where model like '%3B'"
    assert json.loads(published("sql", asked, "--format", "json").stdout) == []
    assert published("rules", "delete", "mine").stdout == "mine is deleted.\n"
    assert json.loads(published("sql", asked, "--format", "json").stdout) == [{"pruning_pct": 10.0}]


def test_json_has_rules_and_their_best_levels(published):
    rules = json.loads(published("rules", "--json").stdout)
    assert [rule["name"] for rule in rules] == ["keeps-most", "narrowest", "study"]
    assert [rule["in_use"] for rule in rules] == [True, False, False]
    best = {row["model"]: row["pruning_pct"] for row in rules[2]["best_levels"]}
    assert best == {
        "meta-llama/Llama-3.2-1B": 40.0, "meta-llama/Llama-3.2-1B-Instruct": 10.0, "meta-llama/Llama-3.2-3B": 10.0,
    }  # fmt: skip
    assert json.loads(published("rules", "show", "study", "--json").stdout)["weights"]["mmlu"] == 1


def test_a_rule_comes_from_standard_input_and_db_may_stand_before_the_command(published):
    text = 'name = "one"\n[weights]\nMuSR = 1\n'
    done = published("rules", "--db", "other.duckdb", "set", "-", "--use", stdin=text)
    assert (done.returncode, done.stdout) == (0, "one is saved, version 1; and used from now on.\n"), done.stderr
    assert (published.cwd / "other.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("show", "nope"), "", "There is no rule 'nope': there is keeps-most, narrowest, study."),
        (("use", "nope"), "", "There is no rule 'nope'"),
        (("delete", "study"), "", "'study' ships with prune-tui and stays"),
        (("set", "nowhere.toml"), "", "There is no file nowhere.toml"),
        (("set", "-"), 'name = "a"\n[weights]\nmmlx = 1', "There is no benchmark 'mmlx': is it mmlu?"),
        (("set", "-"), 'name = "a"\n[weights]\nmmlu = -1', "The weight of mmlu is -1: it must be 0 or more."),
    ],
)
def test_what_does_not_fit_is_one_sentence(published, arguments, stdin, said):
    done = published("rules", *arguments, stdin=stdin)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
