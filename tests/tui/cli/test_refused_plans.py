"""What only the worker can tell is wrong: still one sentence, exit code 2, and no run left behind."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.demo.paths import MODEL_DIR

DEMO_TASK = ("--tasks", "demo_grammar", "--levels", "0")


def refusal(shell, done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("prune-tui: ")]
    assert len(said) == 1, done.stderr
    assert shell.runs == []
    assert not (shell.cwd / "results.duckdb").exists()
    return said[0]


def copy_of_demo(folder: Path) -> Path:
    return Path(shutil.copytree(MODEL_DIR, folder / "model"))


def test_a_model_that_is_nowhere(shell):
    said = refusal(shell, shell("run", "nobody/nothing", *DEMO_TASK, HF_HUB_OFFLINE="1"))
    assert "nobody/nothing" in said


def test_a_folder_without_a_model(shell):
    (shell.cwd / "model").mkdir()
    assert "config.json" in refusal(shell, shell("run", "./model", *DEMO_TASK))


def test_a_model_without_glu_layers(shell):
    from transformers import GPT2Config

    GPT2Config(n_layer=1, n_head=2, n_embd=8).save_pretrained(shell.cwd / "model")
    said = refusal(shell, shell("run", "./model", *DEMO_TASK))
    assert "gpt2" in said


def test_a_mixture_of_experts(shell):
    from transformers import MixtralConfig

    MixtralConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1).save_pretrained(
        shell.cwd / "model"
    )
    said = refusal(shell, shell("run", "./model", *DEMO_TASK))
    assert "mixtral" in said


def test_weights_with_nan(shell):
    weights = copy_of_demo(shell.cwd) / "model.safetensors"
    tensors = load_file(weights)
    name = next(name for name in tensors if "gate_proj" in name)
    tensors[name][0, 0] = torch.nan
    save_file(tensors, weights, metadata={"format": "pt"})
    assert "NaN" in refusal(shell, shell("run", "./model", *DEMO_TASK))


def test_a_truncated_weights_file(shell):
    weights = copy_of_demo(shell.cwd) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    assert "model" in refusal(shell, shell("run", "./model", *DEMO_TASK))


def test_a_level_that_would_widen_the_model(shell):
    assert "widen" in refusal(shell, shell("run", "demo", "--tasks", "demo_grammar", "--levels", "100x"))


@pytest.mark.slow
def test_an_unknown_task_is_answered_with_close_names(shell):
    assert "demo_grammar" in refusal(shell, shell("run", "demo", "--tasks", "demo_grammer", "--levels", "0"))


@pytest.mark.slow
def test_a_task_whose_data_cannot_be_reached(shell):
    said = refusal(shell, shell("run", "demo", "--tasks", "piqa", "--levels", "0", HF_HUB_OFFLINE="1"))
    assert "piqa" in said


@pytest.mark.slow
def test_a_broken_task_file(shell):
    (shell.cwd / "tasks").mkdir()
    (shell.cwd / "tasks" / "mine.yaml").write_text("task: mine\noutput_type: [")
    said = refusal(shell, shell("run", "demo", "--tasks", "mine", "--levels", "0", "--include-path", "tasks"))
    assert "mine" in said


def test_a_device_that_is_not_there(shell):
    said = refusal(shell, shell("run", "demo", *DEMO_TASK, "--device", "cuda:77"))
    assert "--device" in said or "cuda:77" in said


def test_what_is_right_runs_and_is_recorded(shell):
    done = shell("run", "demo", "--tasks", "demo_grammar", "--levels", "0,60", "--limit", "10", "--json")
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert run["state"] == "finished"
    deltas = shell("export", "deltas", "--model", "demo", "--format", "json")
    assert {row["pruning_pct"] for row in json.loads(deltas.stdout)} == {0.0, 60.0}
