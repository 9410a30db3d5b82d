"""What people type who come from lm-eval's command line: its spelling of our options, and options that we have not.

An underscore is as good as a hyphen in an option's name; where lm-eval has an option and we have something else, a
sentence says what.
"""

from __future__ import annotations

from typing import Any

from engine.errors import UserError

_IN_RUN = {
    "batch-size": "batches are filled by tokens to what the memory holds: leave it away, or bound them with "
    "--batch-tokens",
    "cache-requests": "requests are written out once for all levels of a run: leave it away",
    "check-integrity": "a run checks its tasks before it begins: leave it away",
    "config": "`config` shows where settings for all commands stand; the rest are options",
    "confirm-run-unsafe-code": "--trust-task-code lets task files run their Python",
    "gen-kwargs": "texts are written as a task's own generation_kwargs say: put a task file of yours with others into "
    "a folder and name that with --include-path",
    "hf-hub-log-args": "results stay on this machine: `export --bundle FILE` writes them for others",
    "log-samples": "every document's answers are kept: leave it away",
    "max-batch-size": "batches are filled by tokens to what the memory holds: --batch-tokens bounds them",
    "metadata": "a task is asked as its file says: write one of your own and name its folder with --include-path",
    "model": "the model is an argument, as in `run org/name --tasks piqa`; for lm-eval's own command line "
    "with our model there is `python -m prune_tui.lm_eval`",
    "model-args": "the model is an argument, and what else it takes are options: --revision, --dtype, "
    "--trust-remote-code, --device",
    "num-fewshot": "shots stand with their task: --tasks gsm8k@5 is gsm8k with five",
    "output-path": "results go to the database that --db names: `export` writes them to a file",
    "predict-only": "answers are always kept beside the scores: leave it away",
    "samples": "--limit takes the first documents of each task, or a share of them",
    "trackio-args": "results stay on this machine: `export` writes them to a file",
    "use-cache": "a run that was cut short goes on where it was with `resume`: leave it away",
    "verbosity": "--quiet says less, --debug shows the traceback of an error",
    "wandb-args": "results stay on this machine: `export` writes them to a file",
    "wandb-config-args": "results stay on this machine: `export` writes them to a file",
    "write-out": "`sql` and the dashboard show what was asked: leave it away",
}


def heed(parser: Any, command: str | None) -> None:
    """From now on this parser takes underscores for hyphens, and says of lm-eval's options what we have instead."""
    match = parser._match_long_opt

    def match_as_meant(opt: str, explicit_value: str | None, state: Any) -> None:
        if opt not in parser._long_opt:
            ours = f"--{opt[2:].replace('_', '-')}"
            if ours in parser._long_opt:
                opt = ours
            elif command == "run" and (instead := _IN_RUN.get(ours[2:])):
                raise UserError(f"There is no {opt} here as lm-eval has it: {instead}.")
        match(opt, explicit_value, state)

    parser._match_long_opt = match_as_meant
