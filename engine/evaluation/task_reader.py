"""lm-eval's own reader of task files, without the packages that it lies in: importing those loads torch."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lm_eval.tasks._index import Entry


def read_tasks(folders: Iterable[Path]) -> dict[str, Entry]:
    """Every task, group and tag of the folders by name, as `lm_eval.tasks.TaskManager` has them in its index.

    For a process that uses nothing else of lm-eval: its packages are empty from then on, unless they were imported
    before. Names of its metrics are known.
    """
    inside: list[str] | None = None
    for name in ("lm_eval", "lm_eval.tasks"):
        if name not in sys.modules:
            spec = PathFinder.find_spec(name, inside)
            assert spec is not None  # `engine.planning.model_stack` was asked
            sys.modules[name] = module_from_spec(spec)  # which is not executed
        inside = list(sys.modules[name].__path__)
    import_module("lm_eval.api.metrics")
    from lm_eval.tasks._index import TaskIndex

    return TaskIndex.build(list(folders))
