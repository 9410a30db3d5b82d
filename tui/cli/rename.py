"""`rename`: another name for a run."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.errors import UserError
from engine.runs import renaming
from tui.cli import known_runs
from tui.cli.completion import RunArgument
from tui.cli.options import DEFAULT_DATABASE, Database, Debug
from warehouse.commands import hint
from warehouse.text import one_line


def rename(
    text: RunArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called from now on.")],
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Give a run another name. Its id stays, and so does what its plan and its journal said before.

    The name is an event of the run's journal, from where it comes into the database.
    """
    from warehouse.merging.merge import merge_run

    known = known_runs.find(db, text)
    run = known.folder
    if run is None:
        raise UserError(
            f"{known.run_id} has no journal here that a name could be written to, as imports and runs whose folder is "
            "elsewhere have none: its name stays."
        )
    renaming.rename(run, name)
    typer.echo(f"Run {run.run_id}, {one_line(known.name)} until now, is {one_line(name)}.")
    try:
        merge_run(db, run.path, wait=2.0)
    except UserError as error:
        typer.echo(f"{db} has its old name until `{hint('merge', db=db)}` can bring it over: {error}", err=True)
