"""What only the worker can tell is wrong: still one sentence, exit code 2, and no run left behind."""

from __future__ import annotations

import hashlib
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


def test_a_chat_template_that_the_tokenizer_does_not_have(shell):
    settings = copy_of_demo(shell.cwd) / "tokenizer_config.json"
    entries = json.loads(settings.read_text())
    for template, sentence in (
        (None, "no chat template"),
        ("{{ raise_exception('odd') }}", "does not take such prompts (odd)"),
    ):
        settings.write_text(json.dumps(entries | {"chat_template": template}))
        said = refusal(shell, shell("run", "./model", *DEMO_TASK, "--apply-chat-template"))
        assert sentence in said


BROKEN = """
task: mine
dataset_path: json
dataset_kwargs: {data_files: {test: tasks/mine.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{q}}"
doc_to_choice: "{{c}}"
doc_to_target: "{{l}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
"""


@pytest.mark.slow
def test_a_task_that_cannot_be_built_ends_the_run_or_is_a_failed_cell_beside_the_others(shell):
    (shell.cwd / "tasks").mkdir()
    (shell.cwd / "tasks" / "mine.yaml").write_text(BROKEN)
    (shell.cwd / "tasks" / "mine.jsonl").write_text('{"q": "Is it so?", "c": [" yes", ""], "l": 0}\n' * 3)
    run = ("run", "demo", "--tasks", "demo_grammar,mine", "--levels", "0,40", "--limit", "3", "--include-path", "tasks")
    assert "Task 'mine' cannot be built (a choice is empty)" in refusal(shell, shell(*run))
    done = shell(*run, "--skip-broken-tasks", "--json")
    assert done.returncode == 1, done.stderr
    (told,) = json.loads(done.stdout)["runs"]
    assert told["cells"] == {"done": 2, "failed": 2, "total": 4}
    assert {failure["task"] for failure in told["failures"]} == {"mine"}
    (shell.cwd / "tasks" / "mine.jsonl").write_text('{"q": "Is it so?", "c": [" yes", " no"], "l": 0}\n' * 3)
    again = shell("resume", "latest", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["runs"][0]["cells"] == {"done": 4, "failed": 0, "total": 4}


@pytest.mark.slow
def test_code_of_a_task_file_is_not_run_unless_it_is_trusted_and_then_its_hash_is_kept(shell):
    (shell.cwd / "tasks").mkdir()
    (shell.cwd / "tasks" / "mine.yaml").write_text(f"{BROKEN}process_docs: !function own.prepare\n")
    (shell.cwd / "tasks" / "mine.jsonl").write_text('{"q": "Is it so?", "c": [" yes", " no"], "l": 0}\n' * 3)
    own = shell.cwd / "tasks" / "own.py"
    own.write_text("from pathlib import Path\nPath('ran').touch()\ndef prepare(documents): return documents\n")
    run = ("run", "demo", "--tasks", "mine", "--levels", "0", "--include-path", "tasks")
    assert "mine.yaml runs own.prepare. Read them, and add --trust-task-code" in refusal(shell, shell(*run))
    assert not (shell.cwd / "ran").exists()
    done = shell(*run, "--trust-task-code")
    assert done.returncode == 0, done.stderr
    assert (shell.cwd / "ran").exists()
    query = "select provenance->'task_files' as files from attempts"
    files = json.loads(shell("sql", query, "--format", "json").stdout)[0]["files"]
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    assert digest in str(files)
    assert f"own.py {digest[:12]}" in shell("why", "demo", "0", "mine").stdout


@pytest.mark.slow
def test_levels_without_the_unpruned_model_are_measured_and_said_to_have_nothing_to_compare_with(shell):
    done = shell("run", "demo", "--tasks", "demo_grammar", "--levels", "40", "--limit", "3")
    assert done.returncode == 0, done.stderr
    assert "Level 0 is not among the levels: unless results.duckdb has the unpruned model's results" in done.stderr


@pytest.mark.slow
def test_a_limit_that_leaves_no_document_out_is_compared_with_all_documents(shell):
    assert shell("run", "demo", "--tasks", "demo_grammar", "--levels", "0").returncode == 0
    done = shell("run", "demo", "--tasks", "demo_grammar", "--levels", "40", "--limit", "1000000")
    assert done.returncode == 0, done.stderr
    query = "select distinct documents, conditions from runs"
    assert json.loads(shell("sql", query, "--format", "json").stdout) == [
        {"documents": "all", "conditions": "all documents, float32"}
    ]
    deltas = shell("export", "deltas", "--model", "demo", "--format", "json")
    assert {row["pruning_pct"] for row in json.loads(deltas.stdout)} == {0.0, 40.0}


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
