"""From `save` to the certificate: pruning's loss and the export's, told apart on the demo model's real tasks."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from engine.planning import model_stack
from engine.runs.rundir import RunDir
from tui.cli.app import app
from tui.cli.guard import guarded


@pytest.mark.slow
def test_the_exported_files_are_scored_like_the_run(shell):
    run = ("--levels", "0,38", "--tasks", "demo_facts,demo_story,demo_grammar", "--dtype", "float32", "--limit", "40")
    done = shell("run", "demo", *run, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    run_id = json.loads(done.stdout)["runs"][0]["run_id"]
    done = shell(
        "save", "demo", "--level", "38", "--to", "out", "--like", run_id, "--gguf", "q8_0", "--dtype", "float32"
    )
    assert done.returncode == 0, done.stderr
    assert "318 neurons a layer, stored as 320 with 2 of zeros (q8_0 needs whole blocks of 32)" in done.stdout
    folder, file = shell.cwd / "out", shell.cwd / "out" / "out-q8_0.gguf"

    done = shell("certify", "out", "--like", run_id, "--json")
    assert done.returncode == 0, done.stderr
    padded = json.loads(done.stdout)
    assert {one["export"]["changed"] for one in padded["numbers"]} == {0}  # zero neurons change no score
    assert any(one["pruning"]["changed"] for one in padded["numbers"])

    done = shell("certify", str(file), "--like", run_id, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    story = next(one for one in told["numbers"] if one["task"] == "demo_story" and one["headline"])
    assert (
        story["export"]["documents"] == story["export"]["changed"] == 40
    )  # quantisation moves every perplexity a little
    assert abs(story["file"] / story["pruned"] - 1) < 0.01
    assert told["file"]["form"] == "GGUF, dequantised by transformers"
    assert (told["of"]["intermediate_size"], told["of"]["stored_size"]) == (318, 320)

    pytest.importorskip("cyllama")
    done = shell("certify", str(file), "--like", run_id, "--engine", "llama.cpp", "--json")
    assert done.returncode == 0, done.stderr
    native = json.loads(done.stdout)
    assert native["file"]["form"] == "GGUF, read by llama.cpp"
    assert native["conditions"]["model_args"] == "engine=llama.cpp"
    assert native["versions"]["cyllama"]
    scores = {one["task"]: (one["file"], one["export"]["changed"]) for one in native["numbers"] if one["headline"]}
    value, changed = scores["demo_story"]
    assert changed == 40
    assert value != story["file"]
    assert abs(value / story["file"] - 1) < 0.01
    for name in ("pruned", "pruning"):  # pruning's loss is the run's, whoever scores the file
        assert [one[name] for one in native["numbers"]] == [one[name] for one in told["numbers"]]
    done = shell("certify", "out", "--like", run_id, "--engine", "llama.cpp")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "llama.cpp reads GGUF files" in done.stderr

    for written in (
        folder / "certificate.json",
        folder / "out-q8_0.gguf.llama.cpp.certificate.json",
        folder / "out-q8_0.gguf.certificate.md",
    ):
        assert str(shell.cwd) not in written.read_text()

    done = shell("save", "demo", "--level", "38", "--to", "pushed", "--push-to", "me/demo-38", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    dry = json.loads(done.stdout)
    assert dry["pushed"] is None
    assert {"README.md", "model.safetensors", "prune_tui.json"} <= {one["path"] for one in dry["uploads"]}
    assert "model-index" in (shell.cwd / "pushed" / "README.md").read_text()


def test_latest_is_the_latest_run_that_the_file_can_be_certified_like(fake: Any) -> None:
    record = {
        "format": "prune-tui checkpoint", "prune_tui": "1", "method": "maw", "level": "40", "pruning_pct": 40.0,
        "intermediate_size": 60, "parameters": 600, "divisor": None, "seed": None,
        "base": {
            "model": "org/tiny", "revision": "c0ffee", "weights_hash": "abc", "config_hash": None,
            "tokenizer_hash": None, "model_type": "llama", "hidden_size": 8, "intermediate_size": 100,
            "num_hidden_layers": 1, "parameters": 1000,
        },
    }  # fmt: skip
    (fake.cwd / "out").mkdir()
    (fake.cwd / "out" / "prune_tui.json").write_text(json.dumps(record))
    (fake.cwd / "out" / "config.json").write_text('{"model_type": "llama"}')
    nothing = fake("certify", "out", "--like", "latest")
    assert (nothing.returncode, nothing.stderr.count("\n")) == (2, 1)
    assert "There are no runs" in nothing.stderr

    assert fake("run", "org/tiny", "--levels", "0,40", "--tasks", "piqa", "--name", "fine").returncode == 0
    assert fake("run", "org/tiny", "--levels", "0,20", "--tasks", "piqa", "--name", "narrower").returncode == 0
    fitting, narrower = (path.name for path in fake.runs)
    for _ in range(2):  # the second does not take the first certification, which is later, for the run
        done = fake("certify", "out", "--like", "latest", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["run"] == fitting
    plans = [RunDir(path).plan for path in fake.runs[2:]]
    assert [plan.certifies for plan in plans] == [fitting, fitting]
    refused = fake("certify", "out", "--like", fake.runs[-1].name)
    assert f"scored an exported file like run {fitting}" in refused.stderr

    assert fake("run", "--like", "latest", "--no-start").returncode == 0
    assert RunDir(fake.runs[-1]).plan.to_dict() == RunDir(fake.cwd / "results.runs" / narrower).plan.to_dict()
    assert fake("certify", "out", "--like", fitting).returncode == 0
    again = fake("run", "--like", fake.runs[-1].name, "--no-start")  # said by its name: an ordinary run of the file
    assert again.returncode == 0, again.stderr
    plan = RunDir(fake.runs[-1]).plan
    assert (Path(plan.model), plan.certifies) == (fake.cwd / "out", None)


def test_what_cannot_be_certified_is_one_sentence(shell):
    done = shell("certify", "nowhere", "--like", "latest")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    done = shell("certify", "file.gguf", "--like", "latest", "--engine", "mlx")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "There is no engine 'mlx': choose one of transformers, llama.cpp" in done.stderr
    done = shell("save", "demo", "--level", "38", "--to", "out", "--dry-run")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "say where with --push-to USER/REPO" in done.stderr


def test_without_llama_cpp_its_engine_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        model_stack, "find_spec", lambda name: None if name == "cyllama" else importlib.util.find_spec(name)
    )
    words = [
        "certify",
        "file.gguf",
        "--like",
        "latest",
        "--engine",
        "llama.cpp",
        "--db",
        str(tmp_path / "results.duckdb"),
    ]
    assert guarded(app, words) == 2
    [said] = capsys.readouterr().err.splitlines()
    assert "llama.cpp is not installed: pip install 'prune-tui[llama-cpp]'" in said
