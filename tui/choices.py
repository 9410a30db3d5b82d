"""From what a person typed to a run's plan: the command line and the form share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from engine.errors import UserError
from engine.suites import SUITES, TaskSpec, suite


def chosen_tasks(suite_name: str | None, tasks: str | None) -> tuple[TaskSpec, ...]:
    """The tasks of a suite, or of a comma-separated list.

    Raises:
        UserError: both or none were given, or one is no task or stands there twice.
    """
    if suite_name is not None and tasks is not None:
        raise UserError("--suite and --tasks were both given: name either a suite or the tasks.")
    if suite_name is not None:
        return suite(suite_name)
    specs = tuple(TaskSpec.parse(text) for text in (tasks or "").split(",") if text.strip())
    if not specs:
        raise UserError(f"No task was given: name a suite ({', '.join(SUITES)}) with --suite, or tasks with --tasks.")
    twice = [name for name, count in Counter(spec.name for spec in specs).items() if count > 1]
    if twice:
        raise UserError(f"Task {', '.join(twice)} is given more than once: each task is evaluated once a run.")
    return specs


def task_folders(paths: Sequence[Path]) -> list[Path]:
    """Raises:
    UserError: one of them is not a folder.
    """
    for path in paths:
        if not path.is_dir():
            raise UserError(f"--include-path {path} is not a folder: give the one that holds your task files.")
    return list(paths)


def short_name(model: str) -> str:
    """A run's name where none was given: the model's, without its owner or folder."""
    return Path(model).resolve().name if Path(model).is_dir() else model.rsplit("/", 1)[-1]
