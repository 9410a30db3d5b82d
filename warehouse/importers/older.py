"""Result files from before lm-eval 0.4, in the form that 0.4 gave them: one way in then serves all.

Two kinds are certain enough to be read: what lm-eval 0.3 wrote, and the files of the first Open LLM Leaderboard, whose
tasks are named `harness|arc:challenge|25`. Neither knew filters; shots are in the one's config, the other's names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_LEADERBOARD_TASK = re.compile(r"harness\|(?P<task>[^|]+)\|(?P<shots>\d+)")
# 0.3 shuffled the documents, and drew the shots, with 42 whatever else was asked for.
_SEEDS = {"random_seed": 1234, "numpy_seed": 1234, "torch_seed": None, "fewshot_seed": 42}
_VERSION = "0.3"


def in_the_form_of_today(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same results as lm-eval 0.4 would have written them; those of 0.4, or of another kind, as they are."""
    results = data.get("results")
    if not isinstance(results, dict) or any("," in name for result in results.values() for name in result):
        return data
    config = data.get("config")
    if isinstance(config, dict) and "model_args" in config and "num_fewshot" in config:
        return _of_0_3(data, config)
    if isinstance(data.get("config_general"), dict) and any(map(_LEADERBOARD_TASK.fullmatch, results)):
        return _of_the_leaderboard(data, data["config_general"])
    return data


def _of_0_3(data: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    shots = config["num_fewshot"]
    return dict(data) | {
        "results": {task: _unfiltered(result) for task, result in data["results"].items()},
        "n-shot": dict.fromkeys(data["results"], 0 if shots is None else shots),
        "config": dict(config) | _SEEDS,
        "lm_eval_version": _VERSION,
    }


def _of_the_leaderboard(data: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: match for name in data["results"] if (match := _LEADERBOARD_TASK.fullmatch(name))}
    tasks = {name: match["task"].replace(":", "_") for name, match in found.items()}
    versions = data.get("versions") or {}
    return {
        "results": {task: _unfiltered(data["results"][name]) for name, task in tasks.items()},
        "n-shot": {tasks[name]: int(match["shots"]) for name, match in found.items()},
        "versions": {task: versions.get(name) for name, task in tasks.items()},
        "config": {
            "model": "hf",
            "model_args": {"pretrained": about["model_name"]},
            "model_sha": about.get("model_sha"),
            "model_dtype": about.get("model_dtype"),
            "limit": about.get("max_samples"),
        }
        | _SEEDS,
        "lm_eval_version": _VERSION,
    }


def _unfiltered(result: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name},none": value for name, value in result.items()}
