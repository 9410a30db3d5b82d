"""Process `engine.worker.list_tasks FOLDER…`: the tasks and groups of these folders, as one line of JSON on standard
output. Nothing of torch is loaded for it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.evaluation.task_reader import read_tasks
from engine.planning.task_index import NEXT_REASON

if TYPE_CHECKING:
    from lm_eval.tasks._index import Entry


def main(folders: list[str]) -> None:
    index = read_tasks(map(Path, folders))
    from engine.evaluation.task_code import task_code  # which needs lm-eval's names of metrics

    entries = []
    for name, found in sorted(index.items()):
        code = NEXT_REASON.join(task_code(index, [name]).reasons) if _may_be_outside(found, index) else ""
        entries.append(_entry(name, found) | {"code": code})
    print(json.dumps(entries))


def _may_be_outside(found: Entry, index: Mapping[str, Entry]) -> bool:
    from engine.evaluation.task_code import is_outside

    files = [found.yaml_path] if found.yaml_path is not None else [index[part].yaml_path for part in found.tags]
    return any(file is not None and is_outside(Path(file).resolve()) for file in files)


def _entry(name: str, found: Entry) -> dict[str, Any]:
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
        "file": None if found.yaml_path is None else str(found.yaml_path),
        "tagged": sorted(found.tags) if kind == "tag" else [],
    }


if __name__ == "__main__":
    main(sys.argv[1:])
