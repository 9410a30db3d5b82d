"""The tasks that lm-eval knows: read in a process of its own, and kept on disk until one of their files changes.

None of it needs torch, so a wrong name is told before anything slow begins.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from engine.demo.paths import TASKS_DIR
from engine.errors import UserError
from engine.planning import model_stack
from engine.planning.suites import SUITES, TaskSpec, suite
from warehouse.processes import module_command
from warehouse.store import cache

_PATIENCE = 180.0  # seconds
_OF_SUITES = frozenset(spec.name for specs in SUITES.values() for spec in specs)
_reading = Lock()
NEXT_REASON = "; "


class UnlistedError(UserError):
    """lm-eval's tasks could not be listed: that says nothing of any task."""


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A name that can be run. `kind` is task, group or tag; `parts` are a group's own; `generates` text.

    `code` says what of its files is code from outside lm-eval, empty where nothing is. `file` is the task's or the
    group's own; a tag has none, but `tagged` tasks.
    """

    name: str
    kind: str
    parts: tuple[str, ...] = ()
    num_fewshot: int | None = None
    generates: bool = False
    code: str = ""
    file: str | None = None
    tagged: tuple[str, ...] = ()


def load(include_paths: tuple[str, ...] = (), *, reading: Callable[[], object] = lambda: None) -> tuple[TaskEntry, ...]:
    """All tasks and groups by name. The first time for an lm-eval takes ten seconds, before which `reading` is called:
    a dashboard calls this in a thread.

    Raises:
        UserError: lm-eval is not installed.
        UnlistedError: they cannot be read.
    """
    model_stack.require()
    with _reading:
        found = _entries(_own_folders(), reading)
        if include_paths:
            found |= _entries(include_paths, reading)
    return tuple(sorted(found.values(), key=lambda entry: entry.name))


def read_ahead(specs: Iterable[TaskSpec], include_paths: tuple[str, ...]) -> None:
    """Begin to read all tasks in a thread, where they were never read and some are asked for that need them: the next
    `load` waits for that, and says what goes wrong.
    """
    place = _place(_own_folders())
    if not _is_demo(specs, include_paths) and place is not None and not place.exists():
        Thread(target=_read, name="list of tasks", daemon=True).start()


def _read() -> None:
    with suppress(UserError):
        load()


def _is_demo(specs: Iterable[TaskSpec], include_paths: tuple[str, ...]) -> bool:
    return not include_paths and {spec.name for spec in specs} <= {spec.name for spec in suite("demo")}


def kept() -> tuple[TaskEntry, ...]:
    """All tasks and groups that lm-eval brings, as they were read before; none where they have to be read first."""
    return _kept(_own_folders()) or ()


def check(
    specs: Iterable[TaskSpec],
    include_paths: tuple[str, ...],
    *,
    trusted: bool,
    reading: Callable[[], object] = lambda: None,
) -> None:
    """As a worker checks them before it builds them: names, and code from outside that is not `trusted`.

    Names of our suites count as lm-eval's, whose list is then not needed: where an lm-eval has one no more, the worker
    says so.

    Raises:
        UserError: one is wrong, which is named.
        UnlistedError: the tasks cannot be read.
    """
    specs = list(specs)
    wanted = {spec.name for spec in specs}
    known = _entries(include_paths, reading) if include_paths else {}
    if not wanted <= known.keys() | _OF_SUITES:
        known = {entry.name: entry for entry in load(include_paths, reading=reading)}
    for spec in specs:
        if spec.name not in known.keys() | _OF_SUITES:
            raise UserError(unknown(spec.name, known))
        if spec.name in known and (code := known[spec.name].code) and not trusted:
            raise UserError(untrusted(code.split(NEXT_REASON)))


def unknown(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(close)}?" if close else "see lm-eval's list with `lm-eval ls tasks`."
    return f"There is no task or group '{name}': {hint}"


def untrusted(reasons: Sequence[str]) -> str:
    more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"These task files are code: {reasons[0]}{more}. Read them, and add --trust-task-code if you trust them."


def _own_folders() -> tuple[str, ...]:
    """Those of the installed lm-eval, and the demo's."""
    spec = find_spec("lm_eval")
    places = spec.submodule_search_locations if spec is not None else None
    return (*(str(Path(place, "tasks")) for place in places or ()), str(TASKS_DIR))


def _entries(folders: tuple[str, ...], reading: Callable[[], object]) -> dict[str, TaskEntry]:
    kept = _kept(folders)
    if kept is None:
        reading()
        text = _ask(folders)
        kept = _parse(text)
        _keep(folders, text)
    return {entry.name: entry for entry in kept}


def _kept(folders: tuple[str, ...]) -> tuple[TaskEntry, ...] | None:
    """What was read of these folders before, if no file in them has changed since."""
    if (path := _place(folders)) is None:
        return None
    try:
        key, _, text = path.read_text(encoding="utf-8").partition("\n")
        return _parse(text) if key == _key(folders) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(folders: tuple[str, ...], text: str) -> None:
    if (path := _place(folders)) is None:
        return
    with suppress(OSError):  # else they are read again
        cache.clear(path.parent)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(f"{_key(folders)}\n{text}", encoding="utf-8")
        draft.replace(path)


def _place(folders: tuple[str, ...]) -> Path | None:
    folder = cache.folder("tasks")
    name = sha256("\0".join(map(os.path.abspath, folders)).encode(errors="surrogateescape")).hexdigest()
    return None if folder is None else folder / f"{name}.json"


def _key(folders: tuple[str, ...]) -> str:
    """Another one as soon as a file of theirs, lm-eval or this program is another one."""
    parts = [version("lm-eval"), version("prune-tui")]
    for folder in folders:
        parts += (f"{name} {size} {changed}" for name, size, changed in _files(folder))
    return sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of change of every file that a task may be made of, but for code."""
    try:
        found = sorted(os.scandir(folder), key=lambda one: one.name)
    except OSError:
        return
    for one in found:
        if one.is_dir(follow_symlinks=False):
            if one.name != "__pycache__":
                yield from _files(one.path)
        elif not one.name.endswith((".py", ".pyc")):
            with suppress(OSError):
                about = one.stat()
                yield one.path, about.st_size, about.st_mtime_ns


def _ask(folders: tuple[str, ...]) -> str:
    try:
        answer = subprocess.run(
            module_command("engine.worker.list_tasks", *folders),
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
            record["code"],
            record["file"],
            tuple(record["tagged"]),
        )
        for record in records
    )
