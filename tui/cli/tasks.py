"""`tasks` and `suites`: what a model can be asked."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import UserError
from tui.cli.listing import print_rows
from tui.cli.options import Debug, Json
from tui.cli.output import print_json
from tui.format import answers_of
from warehouse.text import one_line

if TYPE_CHECKING:
    from engine.planning.task_index import TaskEntry


def tasks(
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="Only names with this in them; capitals do not matter.")
    ] = None,
    include_path: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Folder with your own lm-eval task files.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List lm-eval's tasks and groups, for `run --tasks`.

    A group is run with all its parts. The list is read once for an lm-eval and kept, until a task file changes.
    """
    from engine.planning import task_index
    from engine.planning.choices import OPTIONS, task_folders

    folders = tuple(str(path) for path in task_folders(include_path or [], OPTIONS))
    known = task_index.load(folders, reading=_say_that_tasks_are_read)
    wanted = (text or "").lower()
    found = sorted((entry for entry in known if wanted in entry.name.lower()), key=lambda entry: _place(entry, wanted))
    if not found:
        raise UserError(task_index.unknown(str(text), [entry.name for entry in known]))
    if as_json:
        print_json({"tasks": [_plain(entry) for entry in found]})
    else:
        print_rows(("task", "kind", "shots", "answers"), list(map(_row, found)), ("shots",))


def _plain(entry: TaskEntry) -> dict[str, Any]:
    """Without where it lies in lm-eval's package, and who tagged it."""
    return {name: value for name, value in asdict(entry).items() if name not in ("file", "tagged")}


def suites(as_json: Json = False, debug: Debug = False) -> None:
    """List the suites: tasks under one name, with the shots they are run at, for `run --suite`."""
    from engine.planning.suites import SUITES

    if as_json:
        print_json(
            {"suites": [{"suite": name, "tasks": [asdict(task) for task in tasks]} for name, tasks in SUITES.items()]}
        )
        return
    rows = [
        (name if at == 0 else "", task.name, "its own" if task.num_fewshot is None else str(task.num_fewshot))
        for name, tasks in SUITES.items()
        for at, task in enumerate(tasks)
    ]
    print_rows(("suite", "task", "shots"), rows, ("shots",))


def _place(entry: TaskEntry, wanted: str) -> tuple[bool, bool]:
    """The name itself first, then those that begin with it."""
    name = entry.name.lower()
    return name != wanted, not name.startswith(wanted)


def _row(entry: TaskEntry) -> tuple[str, ...]:
    """What a group generates is its tasks' to say."""
    kind = entry.kind if entry.kind == "task" else f"{entry.kind} of {len(entry.parts)}"
    shots = "" if entry.num_fewshot is None else str(entry.num_fewshot)
    code = "; is code, which --trust-task-code lets run" if entry.code else ""
    return one_line(entry.name), kind, shots, answers_of(entry) + code


def _say_that_tasks_are_read() -> None:
    typer.echo("Reading lm-eval's task files, once for this lm-eval…", err=True)
