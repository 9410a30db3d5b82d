"""`prune-tui why`: a number and where it came from."""

from __future__ import annotations

import json

import pytest
from template import copied


@pytest.fixture
def published(shell, study):
    copied(study, shell.cwd / "results.duckdb")
    return shell


def test_text_names_the_file_the_line_and_what_was_checked(published):
    done = published("why", "Llama-3.2-1B", "40", "MuSR")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("meta-llama/Llama-3.2-1B at 40%, MuSR acc_norm: 0.4286 ± 0.0174; unpruned 0.3399")
    assert "published_scores.csv, line 102" in done.stdout
    assert "meta-llama/Llama-3.2-1B,40,leaderboard_musr,0,acc_norm,none,0.4286,0.0174,true" in done.stdout
    assert "All 2 checks that can be made here hold." in done.stdout


def test_json_is_strict_and_has_the_baseline(published):
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    done = published("why", "Llama-3.2-1B", "40", "wikitext", "--json")
    told = json.loads(done.stdout, parse_constant=refuse)
    assert told["holds"] is True
    assert told["delta"] == pytest.approx(told["number"]["value"] - told["baseline"]["value"])
    assert told["number"]["file"]["value"] == told["number"]["value"]
    assert {check["what"]: check["holds"] for check in told["number"]["checks"]} == {"file": True, "samples": None}


def test_a_number_that_its_source_does_not_say_ends_with_1(published):
    import duckdb

    with duckdb.connect(published.cwd / "results.duckdb") as con:
        con.execute("update metrics set value = 0.99 where task = 'piqa' and level = '40' and metric = 'acc'")
    done = published("why", "Llama-3.2-1B", "40", "piqa")
    assert done.returncode == 1
    assert "✗ file: line" in done.stdout
    assert "the number is not what its sources say" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Llama-3.2-1B", "40", "piqqa"), "there is piqa"),
        (("Llama-3.2-1B", "45", "piqa"), "was not measured at 45: there is 0, 10"),
        (
            ("Llama-3.2-1B", "40", "gsm8k", "--metric", "exact_match"),
            "flexible-extract, strict-match. Choose with --filter",
        ),
        (("nobody", "40", "piqa"), "No results of a model 'nobody'"),
    ],
)
def test_what_does_not_fit_is_one_sentence(published, arguments, said):
    done = published("why", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
