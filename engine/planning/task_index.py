"""The tasks that lm-eval knows, for choosing among them: asked of a process that may import it, and kept on disk."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.planning import model_stack
from engine.planning.suites import TaskSpec
from warehouse.processes import module_command

_PATIENCE = 180.0  # seconds
NEXT_REASON = "; "


class UnlistedError(UserError):
    """lm-eval's tasks could not be listed: that says nothing of any task."""


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
        UnlistedError: lm-eval cannot be asked.
    """
    entries = {entry.name: entry for entry in _read_cache() or _ask_and_keep()}
    if include_paths:
        entries |= {entry.name: entry for entry in _parse(_ask(include_paths))}
    return tuple(sorted(entries.values(), key=lambda entry: entry.name))


def check(specs: Iterable[TaskSpec], include_paths: tuple[str, ...], *, trusted: bool) -> None:
    """As a worker checks them before it builds them: names, and code from outside that is not `trusted`.

    Raises:
        UserError: one is wrong, which is named.
        UnlistedError: lm-eval cannot be asked.
    """
    known = {entry.name: entry for entry in load(include_paths)}
    for spec in specs:
        if spec.name not in known:
            raise UserError(unknown(spec.name, known))
        if (code := known[spec.name].code) and not trusted:
            raise UserError(untrusted(code.split(NEXT_REASON)))


def unknown(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(close)}?" if close else "see lm-eval's list with `lm-eval ls tasks`."
    return f"There is no task or group '{name}': {hint}"


def untrusted(reasons: Sequence[str]) -> str:
    more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"These task files are code: {reasons[0]}{more}. Read them, and add --trust-task-code if you trust them."


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
        raise UnlistedError(
            f"lm-eval's list of tasks cannot be had: reading it took over {_PATIENCE:.0f} s; open this again when "
            "the machine is less busy."
        ) from error
    except OSError as error:
        raise UnlistedError(f"lm-eval's list of tasks cannot be had: {error}.") from error
    if answer.returncode != 0 or not answer.stdout:
        last = (answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"])[-1]
        raise UnlistedError(f"lm-eval's list of tasks cannot be had: {last}.")
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
