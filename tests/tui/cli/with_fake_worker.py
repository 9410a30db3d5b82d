"""The command line with the fake worker in the real one's place."""

import os
import sys
from pathlib import Path

from engine.errors import UserError
from engine.planning import preview, task_index
from engine.planning.preview import ModelName
from engine.planning.task_index import TaskEntry
from engine.runs import launch
from engine.sweeps import cards, ray_joining, same_model
from engine.sweeps.cards import Card
from tui.cli import main


def looked_at(name: ModelName) -> UserError | None:
    """Every model is as good as the fake worker, but one."""
    return UserError("There is no model org/wrong: check its name.") if name.model == "org/wrong" else None


launch.module_command = lambda module, *arguments: [
    sys.executable, str(Path(__file__).with_name("fake_worker.py")), *arguments,
]  # fmt: skip
preview.inspect_each = lambda names, **_: [looked_at(name) for name in names]
task_index.load = lambda *_, **__: tuple(TaskEntry(name, "task") for name in ("piqa", "boolq"))
same_model._cached_commit = lambda model, revision: os.environ.get("FAKE_COMMIT", "c0ffee")
if count := os.environ.get("FAKE_CARDS"):
    there = [Card(number, f"GPU-{number}") for number in range(int(count))]
    cards.host_cards = lambda: there
if told := os.environ.get("FAKE_PLACES"):  # of a cluster that nobody needs to join
    places = int(told)
    ray_joining.require = ray_joining.join = lambda *_, **__: None
    ray_joining.places_now = lambda: places
main()
