"""From what a person typed to a run's plan: the command line and the form share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.planning.calibration import REPAIRS, CalibrationSource
from engine.planning.methods import DEFAULT_METHOD, find_method
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
    methods: str
    repairs: str


OPTIONS = Names(
    levels="--levels", suite="--suite", tasks="--tasks", folders="--include-path", methods="--method",
    repairs="--repair",
)  # fmt: skip
FIELDS = Names(
    levels="“levels” or “also”", suite="“suite”", tasks="“tasks”", folders="“own tasks”", methods="“method”",
    repairs="“repair”",
)  # fmt: skip


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


def chosen_methods(text: str, names: Names) -> tuple[str, ...]:
    """The pruning methods of a comma-separated list, in any case.

    Raises:
        UserError: none was given, or one is none or stands there twice.
    """
    try:
        found = [find_method(name).name for name in _listed(text)]
    except UserError as error:
        raise UserError(f"{names.methods}: {error}") from error
    return _each_once(found, "method", f"choose one with {names.methods}, such as {DEFAULT_METHOD}")


def chosen_repairs(text: str, names: Names) -> tuple[str, ...]:
    """The repairs of a comma-separated list, errors as `chosen_methods`."""
    found = _listed(text)
    for name in found:
        if name not in REPAIRS:
            raise UserError(f"There is no repair '{name}': choose {' or '.join(REPAIRS)}.")
    return _each_once(found, "repair", f"choose one with {names.repairs}: {' or '.join(REPAIRS)}")


def chosen_calibration(text: str | None) -> str | None:
    """The text that neurons are looked at on; None for what is usual.

    Raises:
        UserError: a file that is not there, cannot be read or is empty.
    """
    if text is not None:
        CalibrationSource.parse(text).check()
    return text


def _listed(text: str) -> list[str]:
    return [name.strip().lower() for name in text.split(",") if name.strip()]


def _each_once(found: Sequence[str], what: str, advice: str) -> tuple[str, ...]:
    if not found:
        raise UserError(f"No {what} was given: {advice}.")
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice:
        raise UserError(f"The {what} {', '.join(twice)} is given more than once: name each once.")
    return tuple(found)


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
