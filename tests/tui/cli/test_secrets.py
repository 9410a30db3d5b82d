"""Tokens in the environment, in arguments and in config.json reach nothing that a run, an export or `save` leaves."""

from __future__ import annotations

import json
import shutil

import pytest

from engine.demo.paths import MODEL_DIR

HUB = "hf_" + "aB3dE6gH9j" * 4
VALUE = "Zq8-correct-horse-7"
BROKEN = f"""
task: mine
dataset_path: json
dataset_kwargs: {{data_files: {{test: tasks/mine.jsonl}}, token: {HUB}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{ [].x['{HUB}'].y }}}}"
doc_to_choice: "{{{{c}}}}"
doc_to_target: "{{{{l}}}}"
metric_list: [{{metric: acc, aggregation: mean, higher_is_better: true}}]
"""


@pytest.mark.slow
def test_no_secret_is_left_anywhere(shell):
    shutil.copytree(MODEL_DIR, shell.cwd / "model")
    config = shell.cwd / "model" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"api_key": VALUE, "_name_or_path": HUB}))
    (shell.cwd / "tasks").mkdir()
    (shell.cwd / "tasks" / "mine.yaml").write_text(BROKEN)
    (shell.cwd / "tasks" / "mine.jsonl").write_text('{"c": [" yes", " no"], "l": 0}\n' * 3)
    secrets = {"HF_TOKEN": HUB, "CORPORATE_PASSWORD": VALUE}
    tasks = ("--tasks", "demo_grammar,mine", "--include-path", "tasks", "--skip-broken-tasks")
    done = shell("run", "./model", *tasks, "--levels", "0,40", "--limit", "3", **secrets)
    assert done.returncode == 1, done.stderr
    saved = shell("save", "./model", "--level", "40", "--to", "saved", **secrets)
    assert saved.returncode == 0, saved.stderr
    bundled = shell("export", "--bundle", "run.zip", **secrets)
    assert bundled.returncode == 0, bundled.stderr
    refused = shell("run", "./model", *tasks, "--system-instruction", f"Use {HUB}", **secrets)
    assert refused.returncode == 2
    assert "What is given as system_instruction holds something like an access token" in refused.stderr
    left = [path for path in shell.cwd.rglob("*") if path.is_file() and path.parts[-2] not in ("model", "tasks")]
    assert {"journal.jsonl", "worker.log", "results.duckdb", "run.zip", "README.md"} <= {path.name for path in left}
    shutil.unpack_archive(shell.cwd / "run.zip", shell.cwd / "unpacked")
    left += [path for path in (shell.cwd / "unpacked").rglob("*") if path.is_file()]
    config = json.loads((shell.cwd / "saved" / "config.json").read_text())
    assert (config["api_key"], config["model_type"]) == ("***", "llama")
    for path in left:
        content = path.read_bytes()
        assert HUB.encode() not in content, path
        assert VALUE.encode() not in content, path
