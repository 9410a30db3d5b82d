"""What a run is at while no cell is being evaluated, in words."""

from __future__ import annotations

from warehouse.records.run_state import RunHistory

# By the stage that ended last.
_NEXT = {
    "": "reading the tasks",
    "import libraries": "reading the config",
    "read config": "reading the tasks",
    "load tasks": "loading the model",
    "load model": "hashing the weights",
    "hash weights": "writing the prompts",
    "set up scoring": "writing the prompts",
    "build requests": "sorting neurons",
    "sort neurons": "starting",
}


def stage_text(history: RunHistory) -> str:
    """Empty once a cell was begun."""
    return "" if history.starting is None else _NEXT.get(history.starting, "starting")
