"""`models`: of which models there are results, and which."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import print_json
from warehouse.commands import hint
from warehouse.records.names import pruned_with
from warehouse.text import counted, one_line


def models(as_json: Json = False, db: Database = DEFAULT_DATABASE, debug: Debug = False) -> None:
    """List the models in the database: their size, and what is measured of each."""
    from tui.format import count
    from warehouse.read.runs import measured_models

    found = measured_models(db)
    if as_json:
        print_json({"models": [asdict(model) for model in found]})
        return
    if not found:
        typer.echo(f"There is no model in {db} yet: {hint('run', 'MODEL', db=db)} measures one.", err=True)
    for model in found:
        size = "size not known" if model.parameters is None else f"{count(model.parameters)} parameters"
        runs = f"{counted(model.runs, 'run')} ({', '.join(model.origins)})"
        typer.echo(f"{one_line(model.model)}: {size}, {runs}")
        for measured in model.measured:
            typer.echo(f"  {one_line(_said(measured))}")
        if not model.measured:
            typer.echo("  nothing measured yet")


def _said(measured: dict[str, Any]) -> str:
    levels = ", ".join(f"{level:g}" for level in measured["levels"])
    tasks = ", ".join(measured["benchmarks"])
    conditions = f"; {measured['conditions']}" if measured["conditions"] else ""
    return f"{pruned_with(measured['method'], measured['repair']).upper()} at {levels} %: {tasks}{conditions}"
