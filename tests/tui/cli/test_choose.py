"""`choose` on the published study, whose arithmetic is checked by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.cli.app import app
from tui.cli.guard import guarded


@pytest.fixture
def choose(study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Exit code, standard output and standard error."""
    monkeypatch.setenv("PRUNE_TUI_DB", str(study))

    def ask(*arguments: str) -> tuple[int, str, str]:
        code = guarded(app, ["choose", "Llama-3.2-1B", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return ask


Choose = Callable[..., tuple[int, str, str]]


def test_memory_of_the_study_is_its_weights(choose: Choose) -> None:
    # Its files give 1.402 GiB at 60 % and 1.552 GiB at 50 %: 1.505 and 1.666 GB.
    code, out, _ = choose("--max-memory", "1.6GB", "--max-ms-per-token", "30")
    assert code == 0
    assert out.splitlines()[0] == (
        "meta-llama/Llama-3.2-1B: 60 %, MAW, by the rule keeps-most, figures of NVIDIA L4, 1 request at a time."
    )
    code, out, _ = choose("--max-memory", "1.56GiB", "--json")
    told = json.loads(out)
    assert told["chosen"]["pruning_pct"] == 50
    assert told["chosen"]["cost"]["memory"] == 1.5518836975097656 * 2**30


def test_time_a_token_is_that_of_the_slowest_workload(choose: Choose) -> None:
    # 1000 / 49.5325 tokens/s of hellaswag_latency_b1, the slowest of the three unpruned.
    _, out, _ = choose("--json")
    told = json.loads(out)
    assert (told["chosen"]["pruning_pct"], told["chosen"]["cost"]["workload"]) == (0, "hellaswag_latency_b1")
    assert told["chosen"]["cost"]["ms"] == pytest.approx(1000 / 49.53254266776551)
    _, out, _ = choose("--json", "--workload", "mmlu_latency_b1")
    assert json.loads(out)["chosen"]["cost"]["ms"] == pytest.approx(1000 / 51.41668196310394)
    _, out, _ = choose("--json", "--workload", "mmlu_throughput_b8", "--batch", "8")
    assert json.loads(out)["chosen"]["cost"]["ms"] == pytest.approx(8000 / 275.16557763671335)


def test_none_is_an_answer_with_its_own_exit_code(choose: Choose) -> None:
    code, out, _ = choose("--max-memory", "1.7GB", "--keep", "mmlu=0.9")
    assert code == 1
    assert out.startswith("None: no level of meta-llama/Llama-3.2-1B is within the budget")
    assert "MMLU keeps 82.1 %" in out  # 0.2553 of 0.3111
    # At 20 % PIQA loses 5.87 points, and of two shares of 1838 questions 1.96 √(0.0102² + 0.0108²) = 2.9 is noise.
    code, out, _ = choose("--max-memory", "2.2GB", "--lose", "piqa=9", "--json")
    assert (code, json.loads(out)["chosen"]["pruning_pct"]) == (0, 20)
    code, out, _ = choose("--max-memory", "2.2GB", "--lose", "piqa=6")
    assert code == 1
    assert "PIQA loses 5.87 points, or 8.78 within noise" in out


def test_what_each_level_buys_is_a_markdown_table(choose: Choose) -> None:
    code, out, _ = choose("--markdown")
    assert code == 0
    rows = [line for line in out.splitlines() if line.startswith("| ")]
    assert rows[0].startswith("| level | method | keeps |")
    assert [row.split(" | ")[0] for row in rows[1:3]] == ["| unpruned", "| 10 %"]
    assert "1.83 GB (-26 %)" in rows[5]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--max-memory", "much"), "--max-memory much is no size"),
        (("--max-memory", "0GB"), "--max-memory 0GB is no size"),
        (("--max-ms-per-token", "0"), "give a number above zero"),
        (("--keep", "mmlu"), "give a benchmark and a number"),
        (("--keep", "mmlu=nan"), "give a benchmark and a number"),
        (("--lose", "mmlu=nan"), "give a benchmark and a number"),
        (("--keep", "mmlu=90"), "a share is above 0 and up to 1"),
        (("--keep", "nothing=0.9"), "'nothing' was not measured"),
        (("--batch", "0"), "--batch is a whole number above zero"),
        (("--on", "H200"), "Nothing was measured on a machine 'H200': there is NVIDIA L4"),
        (("--method", "vow"), "There is nothing to choose from"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(choose: Choose, arguments: tuple[str, ...], words: str) -> None:
    code, _, err = choose(*arguments)
    assert code == 2
    assert words in " ".join(err.split())
