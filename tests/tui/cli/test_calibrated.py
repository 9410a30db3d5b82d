"""Calibration from the command line: what is wrong with a text is one sentence, and nothing stays behind; what is saved
like a run scores as the run did.
"""

from __future__ import annotations

import json
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
def test_a_layer_that_is_silent_or_overflows_is_named(shell: Any) -> None:
    model, tokenizer = load_model(str(MODEL_DIR), dtype=torch.float32, device=torch.device("cpu"))
    layers: Any = model.base_model.layers
    (shell.cwd / "own.txt").write_text("Once there was a cat in Norwood. It had a red ball.\n" * 400)
    how = ("--level", "40", "--method", "obs", "--repair", "lsq", "--calibration", "own.txt", "--to", "saved")
    for weight, words in ((0.0, "neurons of layer 1 are silent"), (1e25, "neurons of layer 1 do on the calibration")):
        with torch.no_grad():
            layers[1].mlp.up_proj.weight.fill_(weight)
            layers[1].mlp.gate_proj.weight.fill_(weight)
        model.save_pretrained(shell.cwd / "model")
        tokenizer.save_pretrained(shell.cwd / "model")
        assert words in the_complaint(shell("save", "model", *how))
        assert not (shell.cwd / "saved").exists()
    done = shell("run", "model", *RUN[2:], "--method", "obs", "--calibration", "own.txt")
    assert words in the_complaint(done)
    assert not shell.runs


@pytest.mark.slow
def test_what_is_saved_like_a_run_scores_as_its_cell(shell: Any) -> None:
    tasks = ("--tasks", "demo_story", "--limit", "10")
    how = ("--method", "obs", "--repair", "lsq")
    done = shell("run", "demo", *tasks, "--levels", "0,40", *how, "--calibration-tokens", "2048", "--quiet")
    assert done.returncode == 0, done.stderr
    saved = shell(
        "save", "demo", "--level", "40", *how, "--like", "latest", "--to", "saved", "--dtype", "float32", "--json"
    )
    assert saved.returncode == 0, saved.stderr
    assert AutoModelForCausalLM.from_pretrained(shell.cwd / "saved").config.intermediate_size == 308
    done = shell("run", "saved", *tasks, "--levels", "0", "--quiet")
    assert done.returncode == 0, done.stderr
    values = [
        _value(shell, f"select value from headline_metrics where {which} and benchmark = 'demo_story'")
        for which in ("pruning_pct = 40 and model = 'demo'", "pruning_pct = 0 and model like '%saved'")
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    like = ("--like", shell.runs[0].name, "--to", "other")
    refused = the_complaint(shell("save", "demo", "--level", "40", "--method", "maw", *like))
    assert "--method maw is not what run" in refused
    assert not (shell.cwd / "other").exists()


def _value(shell: Any, statement: str) -> float:
    [row] = json.loads(shell("sql", statement, "--format", "json").stdout)
    return float(row["value"])
