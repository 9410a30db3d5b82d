"""From what a person typed to a run's plan: the command line and the form share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.planning.suites import SUITES, TaskSpec, suite
from warehouse.records.level import Level, parse_levels
from warehouse.records.names import short_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a person gave the choices by, for errors to name it."""

    levels: str
    suite: str
    tasks: str
    folders: str


OPTIONS = Names(levels="--levels", suite="--suite", tasks="--tasks", folders="--include-path")
FIELDS = Names(levels="“levels” or “also”", suite="“suite”", tasks="“tasks”", folders="“own tasks”")


def chosen_levels(text: str, names: Names) -> tuple[Level, ...]:
    """The levels of a comma-separated list.

    Raises:
        UserError: none was given, or one is no level or stands there twice.
    """
    if not text.strip(" ,"):
        raise UserError(f"No pruning level was given: choose some with {names.levels}, such as 0,20,40.")
    return tuple(parse_levels(text))


def chosen_tasks(suite_name: str | None, tasks: str | None, names: Names) -> tuple[TaskSpec, ...]:
    """The tasks of a suite, or of a comma-separated list.

    Raises:
        UserError: both or none were given, or one is no task or stands there twice.
    """
    if suite_name is not None and tasks is not None:
        raise UserError(f"{names.suite} and {names.tasks} were both given: name either a suite or the tasks.")
    if suite_name is not None:
        return suite(suite_name)
    specs = tuple(TaskSpec.parse(text) for text in (tasks or "").split(",") if text.strip())
    if not specs:
        suites = ", ".join(SUITES)
        raise UserError(f"No task was given: name a suite ({suites}) with {names.suite}, or tasks with {names.tasks}.")
    twice = [name for name, count in Counter(spec.name for spec in specs).items() if count > 1]
    if twice:
        raise UserError(f"Task {', '.join(twice)} is given more than once: each task is evaluated once a run.")
    return specs


def task_folders(paths: Sequence[Path], names: Names) -> list[Path]:
    """Raises:
    UserError: one of them is not a folder.
    """
    for path in paths:
        if not path.is_dir():
            raise UserError(f"{path} is not a folder: give {names.folders} the one that holds your task files.")
    return list(paths)


def run_name(model: str) -> str:
    """A run's name where none was given: the model's, without its owner or folder."""
    return Path(model).resolve().name if Path(model).is_dir() else short_name(model)
