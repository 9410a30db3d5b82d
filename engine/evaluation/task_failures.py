"""Tasks that cannot be had or built: which of their exceptions mean what, in a sentence."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Never

import datasets.exceptions
import huggingface_hub.errors
import requests
from lm_eval.tasks import TaskManager

from engine.errors import UserError
from engine.planning.plan import RunPlan

_UNREACHABLE = (
    datasets.exceptions.DatasetNotFoundError,
    datasets.exceptions.DataFilesNotFoundError,
    huggingface_hub.errors.HfHubHTTPError,
    huggingface_hub.errors.OfflineModeIsEnabled,
    huggingface_hub.errors.LocalEntryNotFoundError,
    requests.exceptions.RequestException,
    ConnectionError,
    FileNotFoundError,
)

# Its file, its documents and its functions may raise whatever they like, and end the process.
OF_THE_TASK = (Exception, SystemExit)


@contextmanager
def left_out(name: str, broken: dict[str, str], plan: RunPlan) -> Iterator[None]:
    """Where the plan says so, a task that cannot be built is written down instead of ending the run."""
    try:
        yield
    except UserError as error:
        if not plan.skip_broken_tasks:
            raise
        broken[name] = str(error)


def load_task(manager: TaskManager, name: str) -> Any:
    """What lm-eval makes of a task's or a group's name.

    Raises:
        UserError: a package is missing, its data cannot be reached, or it cannot be built.
    """
    try:
        return manager.load([name])
    except ModuleNotFoundError as error:
        if error.name is None:
            cannot_be_built(name, error)
        extra = "pip install 'prune-tui[ifeval]'" if "ifeval" in name else f"pip install {error.name}"
        raise UserError(f"Task '{name}' needs the package {error.name}, which is not installed: {extra}.") from error
    except _UNREACHABLE as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"The data of task '{name}' cannot be reached ({cause}): check the network and the access to the dataset, "
            "or give a copy of the task that reads local files with --include-path."
        ) from error
    except OF_THE_TASK as error:
        cannot_be_built(name, error)


def cannot_be_built(name: str, error: BaseException) -> Never:
    """Raises:
    UserError: always; says what a task's own exception means.
    """
    raise UserError(
        f"Task '{name}' cannot be built ({_cause(error)}): mend its file or its data, leave it out, or go on with the "
        "others by --skip-broken-tasks."
    ) from error


def _cause(error: BaseException) -> str:
    """What a task's own exception means, as far as lm-eval's words allow, and where in a file from outside it arose."""
    if isinstance(error, datasets.exceptions.DatasetGenerationError) and error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1].filename if frames else ""
    said = " ".join(str(error).split()).removeprefix("Error: ").rstrip(".")
    match error:
        case IndexError() if said == "string index out of range" and last.endswith("lm_eval/api/task.py"):
            return "a choice is empty"
        case IndexError() if last.endswith("lm_eval/api/task.py"):
            return "a document names a choice that it does not have"
        case ValueError() if said.startswith("Sample larger than population"):
            return "it has fewer examples than shots are asked for"
        case KeyError():
            return f"there is no {said}"
        case SystemExit():
            said = "its code ends the process"
        case AssertionError() if said:
            pass
        case _:
            said = f"{type(error).__name__}: {said}" if said else type(error).__name__
    own = [frame for frame in frames if _is_the_users(frame.filename)]
    place = f", {Path(own[-1].filename).name} line {own[-1].lineno}" if own else ""
    return f"{said[:200]}{place}"


def _is_the_users(file: str) -> bool:
    libraries = (sysconfig.get_path("stdlib"), Path(__file__).parents[2])
    path = Path(file)
    return path.is_file() and "site-packages" not in path.parts and not any(map(path.is_relative_to, libraries))
