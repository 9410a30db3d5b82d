"""What lm-eval's users type: taken as ours, or told what we have instead."""

from __future__ import annotations

import json

import pytest

from tui.cli.app import app
from tui.cli.guard import guarded


def test_an_underscore_is_as_good_as_a_hyphen(fake):
    done = fake(
        "run", "org/tiny", "--levels", "0", "--tasks", "piqa", "--apply_chat_template", "--batch_tokens=64",
        "--system_instruction", "Be_brief --as_ever", "--include_path", ".", "--name", "fine",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    plan = json.loads((fake.runs[0] / "plan.json").read_text())["plan"]
    assert (plan["apply_chat_template"], plan["batch_tokens"]) == (True, 64)
    assert plan["system_instruction"] == "Be_brief --as_ever"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--num_fewshot", "shots stand with their task: --tasks gsm8k@5"),
        ("--num-fewshot=5", "shots stand with their task: --tasks gsm8k@5"),
        ("--gen_kwargs", "generation_kwargs"),
        ("--model_args", "the model is an argument"),
        ("--model", "`run org/name --tasks piqa`"),
        ("--batch_size", "--batch-tokens"),
        ("--output_path", "`export`"),
        ("--log_samples", "every document's answers are kept"),
    ],
)
def test_what_we_have_instead_is_a_sentence(capsys: pytest.CaptureFixture[str], option: str, words: str):
    assert guarded(app, ["run", option, "5"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"prune-tui: There is no {option.partition('=')[0]} here as lm-eval has it: ")
    assert words in error


@pytest.mark.parametrize(
    "command", [["run", "m", "--levles", "0"], ["runs", "--num_fewshot", "5"], ["runs", "--as_json"]]
)
def test_what_nobody_has_is_no_option(capsys: pytest.CaptureFixture[str], command: list[str]):
    assert guarded(app, command) == 2
    assert "No such option" in capsys.readouterr().err
