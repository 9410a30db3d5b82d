"""How claims are wording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from template import copied

from tui.claims import wording
from warehouse.read.claims import Change, Claim, Finding, Verdict, read_claims

PAGE = Path(__file__).resolve().parents[3] / "docs" / "claims.md"


def finding(model: str = "org/A-1B", **fields) -> Finding:
    known = {
        "larger": None,
        "method": "maw",
        "conditions": "all",
        "verdict": "supported",
        "says": None,
        "missing": None,
    }
    return Finding(model=model, **known | fields)


def claim(*findings: Finding, verdict: Verdict = "mixed", **fields) -> Claim:
    counts: dict[str, Any] = {"supporting": 0, "mixed": 0, "opposing": 0, "cannot_tell": 0} | fields
    return Claim(
        number=1, title="T", verdict=verdict, missing=None, study_says="s", test="t", needs="n",
        findings=findings, **counts,
    )  # fmt: skip


def change(**fields) -> Change:
    known = {
        "claim": 1, "model": "org/A-1B", "method": "maw", "conditions": "all", "benchmark": "IFEval", "num_fewshot": 0,
        "pruning_pct": 10.0, "baseline": 0.1, "value": 0.2, "delta_pct": 100.0, "ci_low_pct": None, "ci_high_pct": None,
        "p_holm": None, "verdict": None, "stderr_kind": None,
    }  # fmt: skip
    return Change(**known | fields)


@pytest.mark.slow
def test_docs_claims_is_what_the_command_writes_of_the_published_figures(tmp_path: Path, study: Path):
    """`prune-tui import published --db new.duckdb && prune-tui claims --format markdown --db new.duckdb`."""
    database = tmp_path / "results.duckdb"
    copied(study, database)
    assert PAGE.read_text(encoding="utf-8") == wording.document(*read_claims(database))


def test_a_benchmark_with_several_numbers_of_shots_has_a_line_for_each():
    numbers = [change(), change(num_fewshot=5), change(num_fewshot=None), change(benchmark="MMLU", num_fewshot=5)]
    _, found = wording.lines(numbers, 1)
    assert [name for _, name, _ in found] == ["IFEval (0-shot)", "IFEval (5-shot)", "IFEval (shots not known)", "MMLU"]


def test_a_verdict_counts_those_that_can_tell():
    one = finding()
    assert wording.verdict(claim(one, one, supporting=1, cannot_tell=1)) == "± mixed: 1 of 1 support it"
    assert wording.verdict(claim(verdict="cannot tell")) == "? cannot tell"


def test_findings_are_told_apart_by_what_differs():
    one, other = finding(), finding(method="vow", conditions=None)
    assert wording.who(one, [one]) == "A-1B"
    assert wording.who(other, [one, other]) == "A-1B (vow, conditions not known)"
    assert wording.who(finding(larger="org/A-3B"), [one]) == "A-1B → A-3B"


def test_numbers_stand_a_line_for_each_model_and_benchmark():
    changes = [
        change(), change(pruning_pct=20.0, verdict="gain"), change(model="org/B", verdict="loss"), change(claim=2),
        change(conditions="limit 5"),
    ]  # fmt: skip
    levels, lines = wording.lines(changes, 1)
    assert levels == [10.0, 20.0]
    assert [(model, name, sorted(at)) for model, name, at in lines] == [
        ("A-1B (all)", "IFEval", [10.0, 20.0]), ("B (all)", "IFEval", [10.0]), ("A-1B (limit 5)", "IFEval", [10.0]),
    ]  # fmt: skip
    assert wording.cell(lines[0][2][20.0]) == "▲ +100.0%"
    assert wording.cell(lines[0][2][10.0]) == "? +100.0%"
    assert wording.cell(None) == "–"


def test_names_cannot_break_the_pages_tables():
    page = wording.document([claim(finding("a|b\n# c", says="x|y"), supporting=1)], [change(model="a|b")])
    assert "a\\|b \\# c" in page
    assert "x\\|y" in page
    assert "\n# c" not in page
