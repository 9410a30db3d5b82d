"""The tasks that lm-eval knows, for choosing among them: asked of a process that may import it, and kept on disk."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.planning import model_stack
from warehouse.processes import module_command

_PATIENCE = 180.0  # seconds


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A name that can be run. `kind` is task, group or tag; `parts` are a group's own; `generates` text.

    `code` says what of its files is code from outside lm-eval, empty where nothing is.
    """

    name: str
    kind: str
    parts: tuple[str, ...] = ()
    num_fewshot: int | None = None
    generates: bool = False
    code: str = ""


def load(include_paths: tuple[str, ...] = ()) -> tuple[TaskEntry, ...]:
    """All tasks and groups by name; the first time for an lm-eval takes its ten seconds, so call it in a thread.

    Raises:
        UserError: lm-eval cannot be asked.
    """
    entries = {entry.name: entry for entry in _read_cache() or _ask_and_keep()}
    if include_paths:
        entries |= {entry.name: entry for entry in _parse(_ask(include_paths))}
    return tuple(sorted(entries.values(), key=lambda entry: entry.name))


def cache_path() -> Path:
    """Where the list of the installed lm-eval is kept."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "prune-tui" / f"tasks-{version('lm-eval')}-{version('prune-tui')}.json"


def _read_cache() -> tuple[TaskEntry, ...] | None:
    try:
        return _parse(cache_path().read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _ask_and_keep() -> tuple[TaskEntry, ...]:
    text = _ask(())
    entries = _parse(text)
    path = cache_path()
    with suppress(OSError):  # without a cache it is asked again
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    return entries


def _ask(include_paths: tuple[str, ...]) -> str:
    model_stack.require()
    try:
        answer = subprocess.run(
            module_command("engine.worker.list_tasks", *include_paths),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"lm-eval's list of tasks cannot be had: reading it took over {_PATIENCE:.0f} s; open this again when "
            "the machine is less busy."
        ) from error
    except OSError as error:
        raise UserError(f"lm-eval's list of tasks cannot be had: {error}.") from error
    if answer.returncode != 0 or not answer.stdout:
        last = (answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"])[-1]
        raise UserError(f"lm-eval's list of tasks cannot be had: {last}.")
    return answer.stdout.splitlines()[-1]


def _parse(text: str) -> tuple[TaskEntry, ...]:
    records: list[dict[str, Any]] = json.loads(text)
    return tuple(
        TaskEntry(
            record["name"],
            record["kind"],
            tuple(record["parts"]),
            record["num_fewshot"],
            record["generates"],
            record.get("code", ""),
        )
        for record in records
    )
