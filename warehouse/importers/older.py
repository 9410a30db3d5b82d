"""Result files from before lm-eval 0.4: they knew no filters.

Two kinds are certain enough to be read: what lm-eval 0.3 wrote, and the files of the first Open LLM Leaderboard, whose
tasks are named `harness|arc:challenge|25`. Each is given the form that 0.4 would have given it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LEADERBOARD_TASK = re.compile(r"harness\|(?P<task>[^|]+)\|(?P<shots>\d+)")
# 0.3 shuffled the documents, and drew the shots, with 42 whatever else was asked for.
SEEDS = {"random_seed": 1234, "numpy_seed": 1234, "torch_seed": None, "fewshot_seed": 42}
VERSION = "0.3"


def is_of_0_3(data: Mapping[str, Any]) -> bool:
    config = data.get("config")
    return _has_no_filters(data) and isinstance(config, dict) and "model_args" in config and "num_fewshot" in config


def is_of_the_leaderboard(data: Mapping[str, Any]) -> bool:
    about = data.get("config_general")
    found = _has_no_filters(data) and isinstance(about, dict) and any(map(LEADERBOARD_TASK.fullmatch, data["results"]))
    return found and not is_of_0_3(data)


def without_filter(result: Mapping[str, Any]) -> dict[str, Any]:
    """A task's metrics as 0.4 names those that nothing was filtered for."""
    return {f"{name},none": value for name, value in result.items()}


def _has_no_filters(data: Mapping[str, Any]) -> bool:
    results = data.get("results")
    if not isinstance(results, dict) or not all(isinstance(result, dict) for result in results.values()):
        return False
    return not any("," in name for result in results.values() for name in result)
