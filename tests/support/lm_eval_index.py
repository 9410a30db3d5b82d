"""lm-eval's index as it reads it itself from its 14,000 files, which takes seven seconds: once a session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lm_eval.tasks import TaskManager
from template import once

from engine.demo.paths import TASKS_DIR

Named = dict[str, dict[str, Any]]


def read_by_lm_eval(session_folder: Path) -> Named:
    """What it knows by each name, with the demo's tasks."""

    def read(draft: Path) -> None:
        draft.write_text(json.dumps(known(TaskManager(include_path=[str(TASKS_DIR)]))))

    return json.loads(once(session_folder / "lm-evals-index.json", read).read_text())


def known(manager: TaskManager) -> Named:
    """`num_fewshot` is in the configs, which are only there where files were read."""
    assert manager.all_tasks == sorted(manager.task_index)
    return {
        name: {
            "kind": entry.kind.name.removeprefix("PY_"),
            "file": None if entry.yaml_path is None else str(entry.yaml_path),
            "tagged": sorted(entry.tags) if entry.kind.name == "TAG" else None,
            "num_fewshot": (entry.cfg or {}).get("num_fewshot"),
        }
        for name, entry in sorted(manager.task_index.items())
    }


def same(kept: TaskManager, read: Named) -> bool:
    """But for configs, which are read again when a task is loaded."""

    def without(named: Named) -> Named:
        return {name: about | {"num_fewshot": None} for name, about in named.items()}

    return without(known(kept)) == without(read)
