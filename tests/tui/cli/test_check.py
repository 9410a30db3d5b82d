"""`check`: a gate for CI."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.cli.app import app
from tui.cli.guard import guarded


@pytest.fixture
def check(study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Exit code, standard output and standard error of a check of the study's results."""
    monkeypatch.setenv("PRUNE_TUI_DB", str(study))

    def ask(*arguments: str) -> tuple[int, str, str]:
        code = guarded(app, ["check", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return ask


Check = Callable[..., tuple[int, str, str]]


def test_what_is_kept_passes(check: Check):
    code, out, _ = check("Llama-3.2-1B", "--retained", "0.9", "--level", "10")
    assert (code, out) == (0, "1 level checked: all keep at least 90.0% of their scores.\n")


def test_what_falls_short_is_a_table(check: Check):
    code, out, _ = check("Llama-3.2-1B", "--retained", "0.9", "--level", "40")
    assert code == 1
    assert out.splitlines()[1].split() == [
        "meta-llama/Llama-3.2-1B", "MAW", "40%", "mean", "of", "13,", "worst", "LAMBADA", "(6.4%)", "80.2%",
    ]  # fmt: skip
    code, out, _ = check("Llama-3.2-1B", "--retained", "0.75", "--level", "40", "--tasks", "mmlu,PIQA", "--each")
    assert (code, "1 level checked" in out) == (0, True)


def test_json_has_every_level_and_whether_it_passes(check: Check):
    code, out, _ = check("Llama-3.2-1B", "--retained", "0.9", "--json")
    told = json.loads(out)
    assert (code, told["passed"]) == (1, False)
    assert [(one["pruning_pct"], one["passed"]) for one in told["levels"]][:2] == [(10, True), (20, False)]
    assert len(told["levels"][0]["benchmarks"]) == 13


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--retained", "90"), "--retained 90 is no share of a score"),
        (("--retained", "nan"), "--retained nan is no share of a score"),
        (("--level", "15"), "was not measured at 15: there is 10, 20"),
        (("--level", "wide"), "wide"),
        (("--tasks", "piqua"), "There are no results of 'piqua'"),
        (("--tasks", ","), "--tasks names no task"),
        (("--method", "vow"), "Nothing was pruned with 'vow': there is maw."),
        (("Llama-4",), "No results of a model 'Llama-4'"),
    ],
)
def test_what_cannot_be_checked_is_a_sentence(check: Check, arguments: tuple[str, ...], words: str):
    code, out, error = check(*arguments)
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert words in error
