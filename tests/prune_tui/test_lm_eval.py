"""lm-eval's own command line with our model: `python -m prune_tui.lm_eval`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.demo.paths import MODEL_DIR, TASKS_DIR
from engine.errors import UserError
from engine.evaluation.harness_model import NAME, HarnessModel, register

_OF_A_FOLDER = (str(Path(__file__).parents[1] / "support" / "lm_eval_of_a_folder.py"),)


def _run(to: Path, command: tuple[str, ...], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, *command, "--include_path", str(TASKS_DIR), "--limit", "25"),
            *("--tasks", "demo_lambada,demo_story", "--output_path", str(to), *arguments),
        ],
        capture_output=True,
        text=True,
    )


def _results(folder: Path) -> dict[str, dict[str, Any]]:
    [path] = folder.rglob("results_*.json")
    return json.loads(path.read_text())["results"]


@pytest.mark.slow
def test_scores_are_those_of_hf_in_float32(tmp_path: Path):
    model = f"pretrained={MODEL_DIR},dtype=float32"
    ours = _run(tmp_path / "ours", _OF_A_FOLDER, "--model", "prune-tui", "--model_args", model)
    theirs = _run(tmp_path / "theirs", _OF_A_FOLDER, "--model", "hf", "--model_args", model, "--batch_size", "8")
    assert (ours.returncode, theirs.returncode) == (0, 0), ours.stderr[-2000:] + theirs.stderr[-2000:]
    expected, found = _results(tmp_path / "theirs"), _results(tmp_path / "ours")
    assert expected.keys() == found.keys() == {"demo_lambada", "demo_story"}
    for task, metrics in expected.items():
        numbers = {key: value for key, value in metrics.items() if isinstance(value, float)}
        assert numbers
        for key, number in numbers.items():
            # A bootstrap of perplexities that are nearly one magnifies what they differ by.
            assert found[task][key] == pytest.approx(number, rel=1e-4 if "stderr" in key else 1e-6), key


@pytest.mark.slow
def test_a_mistake_is_one_sentence_and_exit_code_2(tmp_path: Path):
    run = _run(tmp_path, ("-m", "prune_tui.lm_eval"), "--model", "prune-tui", "--model_args", "pretrained=demo,levl=40")
    assert run.returncode == 2
    assert run.stderr.splitlines()[-1].startswith("Model prune-tui has no argument levl: it takes pretrained, level,")
    assert "Traceback" not in run.stderr


def test_lm_eval_finds_the_model_by_its_name_however_often_it_is_registered():
    from lm_eval.api.registry import get_model

    register()
    register()
    assert get_model(NAME) is HarnessModel
    assert get_model("hf").__name__ == "HFLM"


def test_the_model_is_as_narrow_as_its_level_says():
    lm = HarnessModel("demo", level=40, device="cpu", batch_size=8)
    assert lm.model.config.intermediate_size == 308
    assert lm.get_model_info()["intermediate_size"] == 308


def test_without_a_level_nothing_is_cut():
    assert HarnessModel("demo", device="cuda:0").model.config.intermediate_size == 512


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "No model was given: write --model_args pretrained=NAME, a folder, or demo."),
        ({"pretrained": "demo", "level": "ten"}, "'ten' is not a pruning level"),
        ({"pretrained": "demo", "level": 40, "method": "best"}, "There is no pruning method 'best'"),
        ({"pretrained": "demo", "gguf_file": "x"}, "Model prune-tui has no argument gguf_file"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], sentence: str):
    with pytest.raises(UserError) as refused:
        HarnessModel(**arguments)
    assert str(refused.value).startswith(sentence)
