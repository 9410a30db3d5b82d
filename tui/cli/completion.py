"""What a shell completes beside the names of commands and options: runs, tasks and models.

Light, since a shell waits for it: torch is never loaded, the database is open for an instant, and where something
cannot be read there is nothing to complete. Names are other people's text, and a shell would run some of it: whatever
is not plain is not completed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.errors import UserError

_PLAIN = re.compile(r"[\w./:@,+-]+", re.ASCII)
_NOT_PLAIN = re.compile(r"[^\w ./@,+-]+", re.ASCII)

Candidate = tuple[str, str]
"""What stands on the command line, and what it is, for shells that show that."""


def complete_runs(ctx: Any, incomplete: str) -> list[Candidate]:
    """Ids of runs and imports, the newest first, with their names; names as well, where they begin so."""
    from engine.runs import rundir
    from tui.cli import known_runs

    db = _database(ctx)
    with suppress(UserError, OSError):
        stored = known_runs.stored_only(db, wait=0.0)[0]
        known = [*((one.run_id, one.name) for one in stored), *((one.run_id, one.name) for one in rundir.all_runs(db))]
        ids = [(run_id, name) for run_id, name in reversed(known) if run_id.startswith(incomplete)]
        names = [(name, run_id) for run_id, name in reversed(known) if incomplete and name.startswith(incomplete)]
        latest = [("latest", "the last run")] if known and "latest".startswith(incomplete) else []
        return _plain([*latest, *ids, *names])
    return []


def complete_models(ctx: Any, incomplete: str) -> list[Candidate]:
    """Models of the database, by name or by the part of it after the slash."""
    from tui.format import count
    from warehouse.read.runs import measured_models
    from warehouse.records.names import short_name

    with suppress(UserError, OSError):
        found = measured_models(_database(ctx), wait=0.0)
        return _plain(
            (name, "" if model.parameters is None else f"{count(model.parameters)} parameters")
            for model in found
            for name in dict.fromkeys((short_name(model.model), model.model))
            if name.startswith(incomplete)
        )
    return []


def complete_tasks(incomplete: str) -> list[Candidate]:
    """lm-eval's tasks and groups, after the last comma; none before they were listed once, which takes seconds."""
    from engine.planning import task_index

    before, comma, begun = incomplete.rpartition(",")
    with suppress(UserError, OSError):
        return _plain(
            (f"{before}{comma}{entry.name}", entry.kind) for entry in task_index.kept() if entry.name.startswith(begun)
        )
    return []


def _plain(candidates: Iterable[Candidate]) -> list[Candidate]:
    return [(text, _NOT_PLAIN.sub(" ", about)) for text, about in candidates if _PLAIN.fullmatch(text)]


def _database(ctx: Any) -> Path:
    """The one that is named on the line so far, else the one that the command would take."""
    named = next((one.params["db"] for one in _contexts(ctx) if one.params.get("db")), None)
    return Path(named or os.environ.get("PRUNE_TUI_DB") or "results.duckdb")


def _contexts(ctx: Any) -> Iterator[Any]:
    while ctx is not None:
        yield ctx
        ctx = ctx.parent


RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Its id, the beginning of one, its name, or `latest`.",
        autocompletion=complete_runs,
    ),
]
RunsArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN|SWEEP",
        help="Its id, the beginning of one, its name, or `latest`; or a whole sweep's.",
        autocompletion=complete_runs,
    ),
]
