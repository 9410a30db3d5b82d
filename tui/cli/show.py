"""`show`: one run or import, whole."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tui.cli import known_runs
from tui.cli.completion import RunArgument
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import console, duration, print_json
from warehouse.commands import hint
from warehouse.errors import DatabaseBusyError
from warehouse.records.names import pruned_with
from warehouse.text import one_line

if TYPE_CHECKING:
    from warehouse.read.deltas import DeltaTable
    from warehouse.read.profile import Profile

_LABEL = 12


def show(text: RunArgument, as_json: Json = False, db: Database = DEFAULT_DATABASE, debug: Debug = False) -> None:
    """Show one run or import: plan, state, model, where and when it ran, failures, how to resume, and its scores."""
    from tui.cli.run_facts import run_facts
    from tui.cli.scores import scores_or_why

    facts = run_facts(known_runs.find(db, text), db)
    tables, scores, why_none = scores_or_why(db, facts["run_id"])
    profile = _profile(db, facts["run_id"]) if why_none is None else None
    if as_json:
        print_json(facts | {"scores": scores, "profile": None if profile is None else asdict(profile)})
    else:
        _print(facts, tables)
        if profile is not None:
            _print_profile(profile)
    if isinstance(why_none, DatabaseBusyError):
        typer.echo(f"Its scores are not shown: {one_line(str(why_none))}", err=True)
    elif why_none is not None:
        raise why_none
    elif facts["cells"]["done"] and not scores and facts["origin"] == "run" and not as_json:
        typer.echo(
            "\nNone of its scores stands in the results: later runs measured the same again, or they wait for "
            f"`{hint('merge', db=db)}`.",
            err=True,
        )


def _print(facts: dict[str, Any], tables: list[DeltaTable]) -> None:
    typer.echo(f"{facts['run_id']} ({one_line(facts['name'])})")
    for label, said in _lines(facts):
        typer.echo(f"  {label:<{_LABEL}}{one_line(said)}")
    for failure in facts["failures"]:
        typer.echo(f"  {'failed':<{_LABEL}}level {failure['level']} {failure['task']}: {one_line(failure['error'])}")
    if facts["resume"]:
        typer.echo(f"  {'go on':<{_LABEL}}{facts['resume']}")
    if tables:
        from tui.cli.deltas import print_tables

        typer.echo()
        print_tables(console(), tables)


def _profile(db: Path, run_id: str) -> Profile | None:
    """None where the run measured no cost, or nothing of it is in the database."""
    from warehouse.read.profile import read_profile

    found = read_profile(db, run_id) if db.exists() else None
    return found if found is not None and found.rows else None


def _print_profile(profile: Profile) -> None:
    from tui.cli.listing import print_rows
    from tui.runs.profile_table import HEADER, NUMBERS, drift_line, machine_line, tables

    if profile.machine is not None:
        typer.echo(f"\n  {'machine':<{_LABEL}}{machine_line(profile.machine)}")
    if (drift := drift_line(profile)) is not None:
        typer.echo(f"  {'drift':<{_LABEL}}{drift}")
    for title, rows in tables(profile):
        typer.echo(f"\n{one_line(title)}")
        print_rows(HEADER, rows, NUMBERS)


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """What is known, a label and a text each."""
    told = {
        "state": _state(facts),
        "model": _model(facts),
        "method": pruned_with(facts["method"] or "", facts["repair"]).upper(),
        "levels": ", ".join(facts["levels"]),
        "tasks": _tasks(facts),
        "conditions": facts["conditions"],
        "when": _when(facts),
        "where": ", ".join(filter(None, (facts["host"], facts["device"]))),
        "why": facts["note"],
        "from": facts["source"],
        "folder": facts["folder"],
        "database": facts["database"],
    }
    return [(label, str(said)) for label, said in told.items() if said]


def _state(facts: dict[str, Any]) -> str:
    cells = facts["cells"]
    total = "?" if cells["total"] is None else cells["total"]
    if facts["origin"] == "run" and facts["state"] == "finished" and cells["total"] is None and not cells["done"]:
        said = str(facts["state"])  # nothing but a profile was asked for
    elif facts["origin"] == "run":
        said = f"{facts['state']}, {cells['done']} of {total} evaluations done"
    else:
        said = f"imported ({facts['origin']}), {cells['done']} scores"
    if cells["failed"]:
        said += f", {cells['failed']} failed"
    if (current := facts["current"]) is not None and facts["state"] == "running":
        said += f"; at level {current['level']} {current['task']}"
        said += f", {duration(facts['seconds_left'])} left" if facts["seconds_left"] else ""
    return said


def _model(facts: dict[str, Any]) -> str:
    from tui.format import count

    size = "" if facts["parameters"] is None else f", {count(facts['parameters'])} parameters"
    revision = f", revision {facts['revision']}" if facts["revision"] else ""
    return f"{facts['model'] or 'not loaded yet'}{size}{revision}"


def _tasks(facts: dict[str, Any]) -> str:
    named = ", ".join(facts["tasks"])
    return f"{named} (suite {facts['suite']})" if facts["suite"] else named


def _when(facts: dict[str, Any]) -> str:
    moments = [
        datetime.fromisoformat(str(moment)).astimezone().strftime("%Y-%m-%d %H:%M")
        for moment in (facts["created_at"], facts["ended_at"])
        if moment is not None
    ]
    worked = facts["seconds_worked"]
    return " to ".join(dict.fromkeys(moments)) + (f", worked {duration(worked)}" if worked else "")
