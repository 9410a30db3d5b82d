"""Process `engine.worker.list_tasks [FOLDER…]`: lm-eval's tasks and groups, as one line of JSON on standard output.

With folders, only what these hold, since the rest is known by then.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lm_eval.tasks import TaskManager

from engine.demo.paths import TASKS_DIR
from engine.evaluation.task_code import task_code
from engine.planning.task_index import NEXT_REASON


def main(folders: list[str]) -> None:
    paths: list[str | Path] = [*folders] or [str(TASKS_DIR)]
    manager = TaskManager(include_path=paths, include_defaults=not folders)
    entries = [_entry(manager, name) | {"code": _code(manager, name) if folders else ""} for name in manager.all_tasks]
    print(json.dumps(sorted(entries, key=lambda entry: entry["name"])))


def _code(manager: TaskManager, name: str) -> str:
    """What of it is code from outside, empty where nothing is."""
    return NEXT_REASON.join(task_code(manager.task_index, [name]).reasons)


def _entry(manager: TaskManager, name: str) -> dict[str, Any]:
    found = manager.task_index[name]
    kind = found.kind.name.lower()
    config = found.cfg or {}
    parts = config.get("task") if kind == "group" else None
    named = [part if isinstance(part, str) else part.get("task") or part.get("group") for part in parts or []]
    return {
        "name": name,
        "kind": kind if kind in ("group", "tag") else "task",
        "parts": [part for part in named if isinstance(part, str)],
        "num_fewshot": config.get("num_fewshot"),
        "generates": config.get("output_type") == "generate_until",
    }


if __name__ == "__main__":
    main(sys.argv[1:])
