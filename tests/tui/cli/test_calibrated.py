"""Calibration from the command line: what is wrong with a text is one sentence, and nothing stays behind; what is saved
like a run scores as the run did.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from engine.demo.paths import MODEL_DIR
from engine.pruning.loading import load_model


def the_complaint(done: Any) -> str:
    assert done.returncode == 2, done.stderr
    [said] = [line for line in done.stderr.splitlines() if line.startswith("prune-tui: ")]
    return said


RUN = ("run", "demo", "--tasks", "demo_sums", "--limit", "2", "--levels", "0,40", "--repair", "lsq")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.txt", b" \n", "is empty"),
        ("binary.txt", b"\xff\xfe\x00text", "is no UTF-8 text"),
        ("folder", None, "cannot be read"),
    ],
)
def test_a_text_that_holds_none_is_refused_before_a_run_is_made(
    shell: Any, name: str, content: bytes | None, words: str
) -> None:
    path = shell.cwd / name
    path.mkdir() if content is None else path.write_bytes(content)
    assert words in the_complaint(shell(*RUN, "--calibration", name))
    assert [found.name for found in shell.cwd.iterdir()] == [name]


def test_result_files_are_not_taken_for_a_method_that_looks_at_text(shell: Any) -> None:
    (shell.cwd / "results.json").write_text("{}")
    done = shell("import", "results.json", "--model", "demo", "--level", "40", "--method", "obs")
    assert "obs looks at calibration text, of which result files say nothing" in the_complaint(done)
    assert not (shell.cwd / "results.duckdb").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--calibration-tokens", "2000"), "2,000 is too few for layers of 512 neurons: give at least 2,048"),
        (("--calibration", "short.txt"), "and 2,048 are needed at least"),
    ],
)
def test_too_few_tokens_are_refused_and_leave_nothing(shell: Any, options: tuple[str, ...], words: str) -> None:
    (shell.cwd / "short.txt").write_text("Once there was a cat in Norwood.")
    assert words in the_complaint(shell(*RUN, *options))
    assert not shell.runs
    assert words in the_complaint(shell("save", "demo", "--level", "40", "--repair", "lsq", "--to", "out", *options))
    assert [found.name for found in shell.cwd.iterdir() if "out" in found.name] == []


@pytest.mark.slow
def test_neurons_that_do_nothing_are_pruned_and_those_that_do_nan_are_refused(shell: Any) -> None:
    model, tokenizer = load_model(str(MODEL_DIR), dtype=torch.float32, device=torch.device("cpu"))
    layers: Any = model.base_model.layers
    with torch.no_grad():
        layers[1].mlp.up_proj.weight.zero_()
    for folder in ("dead", "broken"):
        model.save_pretrained(shell.cwd / folder)
        tokenizer.save_pretrained(shell.cwd / folder)
        with torch.no_grad():
            layers[2].mlp.up_proj.weight.fill_(float("nan"))
    (shell.cwd / "own.txt").write_text("Once there was a cat in Norwood. It had a red ball.\n" * 400)
    how = ("--level", "40", "--method", "obs", "--repair", "lsq", "--calibration", "own.txt")
    dead = shell("save", "dead", *how, "--to", "saved")
    if dead.returncode == 0:
        weights = AutoModelForCausalLM.from_pretrained(shell.cwd / "saved").state_dict()
        assert all(bool(weight.isfinite().all()) for weight in weights.values())
    else:
        assert "layer 1" in the_complaint(dead)
        assert not (shell.cwd / "saved").exists()
    assert "NaN or infinite" in the_complaint(shell("save", "broken", *how, "--to", "other"))
    assert not (shell.cwd / "other").exists()


@pytest.mark.slow
def test_what_is_saved_like_a_run_scores_as_its_cell(shell: Any) -> None:
    tasks = ("--tasks", "demo_story", "--limit", "10")
    how = ("--method", "obs", "--repair", "lsq")
    done = shell("run", "demo", *tasks, "--levels", "0,40", *how, "--calibration-tokens", "2048", "--quiet")
    assert done.returncode == 0, done.stderr
    saved = shell("save", "demo", "--level", "40", *how, "--like", "latest", "--to", "saved", "--json")
    assert saved.returncode == 0, saved.stderr
    assert AutoModelForCausalLM.from_pretrained(shell.cwd / "saved").config.intermediate_size == 308
    done = shell("run", "saved", *tasks, "--levels", "0", "--quiet")
    assert done.returncode == 0, done.stderr
    asked = (
        "select value from current_metrics where metric = 'word_perplexity' and level = '{}' and model {} order by 1"
    )
    values = [
        json.loads(shell("sql", asked.format(*where), "--json").stdout)
        for where in (("40", "= 'demo'"), ("0", "like '%saved'"))
    ]
    numbers = [float(next(iter(rows[0].values())) if isinstance(rows[0], dict) else rows[0][0]) for rows in values]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-5)
    refused = shell("save", "demo", "--level", "40", "--method", "maw", "--like", "latest", "--to", "o", "--json")
    assert "--like latest" in refused.stderr or "is of" in refused.stderr or "has it" in refused.stderr
    assert not Path(shell.cwd / "o").exists()
