"""Commands about the runs that there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from engine import rundir
from engine.errors import UserError
from engine.progress import progress
from engine.rundir import RunDir
from tui.cli import session
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import console, duration, one_line, print_json


def runs(as_json: Json = False, db: Database = DEFAULT_DATABASE, debug: Debug = False) -> None:
    """List the runs beside a database, and where each stands."""
    found = rundir.all_runs(db)
    if not found:
        session.check_database(db)
    if as_json:
        print_json({"runs": [_plain(run) for run in found]})
    elif found:
        _print(found)
    else:
        typer.echo(f"There are no runs in {rundir.runs_root(db)}.", err=True)
    session.check_database(db)  # last: runs are in their journals, whatever became of the file


def _print(found: Sequence[RunDir]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("run", "name", "state", "cells", "left"):
        table.add_column(column, overflow="fold", justify="right" if column in ("cells", "left") else "left")
    for run in found:
        table.add_row(*_row(run))
    console().print(table)


def merge(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Compare all documents anew, as after an upgrade that knows more metrics.")
    ] = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Bring results over that runs could not merge, because another program held the database."""
    from warehouse import pairing
    from warehouse.merge import merge_all

    session.check_database(db)
    report = merge_all(db, rundir.runs_root(db), wait=2.0)
    new = {run_id: count for run_id, count in report.merged.items() if count}
    for run_id, count in new.items():
        typer.echo(f"{run_id}: {count} events merged")
    if not new:
        typer.echo("Nothing to merge.")
    if rebuild:
        typer.echo(f"{pairing.rebuild(db, wait=2.0)} changes compared document by document.")
    if report.unreadable:
        raise UserError(" ".join(f"{run_id}: {reason}" for run_id, reason in report.unreadable.items()))


def _plain(run: RunDir) -> dict:
    try:
        return session.summary(run)
    except UserError as error:
        return {"run_id": run.run_id, "state": "damaged", "error": str(error)}


def _row(run: RunDir) -> tuple[str, ...]:
    try:
        known = progress(run.history()[0])
        cells = f"{known.done}/{known.total if known.total is not None else '?'}"
        failed = f", {known.failed} failed" if known.failed else ""
        left = duration(known.seconds_left) if known.current and known.seconds_left else ""
        return run.run_id, one_line(run.plan.name), str(run.state()), cells + failed, left
    except UserError as error:
        return run.run_id, "", f"damaged: {one_line(str(error))}", "", ""
