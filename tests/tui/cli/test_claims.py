"""`prune-tui claims`: what the results say of the study's claims."""

from __future__ import annotations

import json

import pytest
from template import copied


@pytest.fixture
def published(shell, study):
    copied(study, shell.cwd / "results.duckdb")
    return shell


def test_every_claim_with_its_verdict_and_who_says_it(published):
    done = published("claims", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    assert " 1  IFEval improves at every level, whatever the size\n    ± mixed: 2 of 3 support it\n" in done.stdout
    assert "✓ Llama-3.2-1B: IFEval better at 6 of 6 levels, 1 beyond noise; mean change +4.5 points" in done.stdout
    assert done.stdout.endswith("2 supported, 2 not supported, 7 mixed. `prune-tui claims NUMBER` has the numbers.\n")


def test_one_claim_with_its_test_and_its_numbers(published):
    done = published("claims", "2", COLUMNS="200")
    assert done.stdout.startswith(" 2  MuSR improves in the smaller model, not in the larger\n")
    assert "The test – Of two sizes of a family." in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("Llama-3.2-1B  ")]
    assert line.split() == [
        "Llama-3.2-1B", "MuSR", "≈", "+6.6%", "≈", "+7.0%", "≈", "+10.5%", "▲", "+26.1%", "≈", "+10.1%", "▲", "+20.2%",
    ]  # fmt: skip
    assert "IFEval" not in done.stdout


@pytest.mark.slow
def test_chosen_models_are_told_as_if_there_were_no_others(published):
    told = json.loads(published("claims", "--model", "Llama-3.2-1B", "--model", "llama-3.2-3b", "--json").stdout)
    said_by = {finding["model"] for claim in told for finding in claim["findings"]}
    assert said_by == {"meta-llama/Llama-3.2-1B", "meta-llama/Llama-3.2-3B"}
    assert {number["model"] for claim in told for number in claim["numbers"]} == said_by
    assert told[0]["verdict"] == "supported"  # mixed with Instruct
    told = json.loads(published("claims", "2", "--model", "Llama-3.2-1B", "--json").stdout)
    assert told[0]["verdict"] == "cannot tell"  # it takes two sizes


def test_json_is_strict_and_has_findings_and_numbers(published):
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    told = json.loads(published("claims", "--json").stdout, parse_constant=refuse)
    assert [claim["number"] for claim in told] == list(range(1, 12))
    seventh = told[6]
    assert (seventh["verdict"], len(seventh["findings"]), len(seventh["numbers"])) == ("not supported", 1, 15)
    assert seventh["findings"][0]["larger"] == "meta-llama/Llama-3.2-3B"


@pytest.mark.slow
def test_markdown_is_a_page(published):
    page = published("claims", "--format", "markdown").stdout
    assert page.startswith("# The study's claims\n")
    assert page.count("\n## ") == 11


def test_a_database_without_results_cannot_tell(shell):
    assert shell("merge").returncode == 0
    done = shell("rules", "set", "-", stdin='name = "a"\n[weights]\nmmlu = 1\n')  # makes the file
    assert done.returncode == 0, done.stderr
    done = shell("claims")
    assert done.returncode == 0, done.stderr
    assert "11 cannot tell." in done.stdout
    assert "Missing: IFEval at full width and at two pruned widths or more." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("claims", "--model", "Llama-3.2-1"), "did you mean meta-llama/Llama-3.2-1B or "),
        (("claims", "12"), "There is no claim 12: they are numbered 1 to 11."),
        (("claims", "x"), "should be a valid integer"),
    ],
)
def test_what_does_not_fit_is_one_sentence(published, arguments, said):
    done = published(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
