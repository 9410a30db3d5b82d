"""Commands about the runs that there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine import rundir
from engine.errors import UserError
from engine.progress import progress
from engine.rundir import RunDir
from tui.cli import session
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import console, duration, one_line, print_json

if TYPE_CHECKING:
    from warehouse.merge import MergeReport


def runs(as_json: Json = False, db: Database = DEFAULT_DATABASE, debug: Debug = False) -> None:
    """List the runs beside a database, and where each stands."""
    root = rundir.runs_root(db)
    found = rundir.all_runs(root)
    if not found:
        session.check_database(db)
    if as_json:
        print_json({"runs": [_plain(run) for run in found]})
    elif found:
        _print(found)
    else:
        typer.echo(f"There are no runs in {root}.", err=True)
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
    from_journals: Annotated[
        bool,
        typer.Option(
            "--from-journals",
            help="Make the database anew from the runs' journals and from what else it holds; the old one is kept.",
        ),
    ] = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Bring results over that runs could not merge, because another program held the database."""
    from warehouse import pairing
    from warehouse.merge import merge_all
    from warehouse.remake import remake

    root = rundir.runs_root(db)
    if from_journals:
        remade = remake(db, root, wait=2.0)
        report = remade.merged
        carried = f", and {remade.events} events of others from the file itself" if remade.events else ""
        typer.echo(
            f"{db} is made anew from the journals of {len(report.merged)} runs{carried}. "
            f"{remade.kept} is the file as it was."
        )
        for what in remade.left:
            typer.echo(f"In {remade.kept.name} alone: {one_line(what)}", err=True)
    else:
        session.check_database(db)
        report = merge_all(db, root, wait=2.0)
        new = {run_id: count for run_id, count in report.merged.items() if count}
        for run_id, count in new.items():
            typer.echo(f"{run_id}: {count} events merged")
        if not new:
            typer.echo("Nothing to merge.")
    if rebuild:
        typer.echo(f"{pairing.rebuild(db, wait=2.0)} changes compared document by document.")
    _tell(report, db, root)


def _tell(report: MergeReport, db: Path, root: Path) -> None:
    """What a merge has to say beside its counts.

    Raises:
        UserError: runs could not be merged.
    """
    for run_id, unread in report.unread.items():
        more = f", and {len(unread) - 1} more" if len(unread) > 1 else ""
        typer.echo(
            f"{run_id}: documents cannot be read ({one_line(unread[0])}{more}). Its scores count, but are not compared "
            f"document by document: put the files back, then prune-tui merge --from-journals --db {db}.",
            err=True,
        )
    if report.homeless:
        typer.echo(
            f"{db} holds runs of this program's ({report.homeless}), but there is no folder {root}. Was the database "
            f"renamed or moved? Give their folder this name, too, or make {root} a link to it.",
            err=True,
        )
    problems = [f"{run_id}: {reason}" for run_id, reason in report.unreadable.items()]
    if report.altered:
        listed = "; ".join(f"{run_id}: {reason}" for run_id, reason in report.altered.items())
        problems.append(
            f"{db} was altered by other hands ({listed}): prune-tui merge --from-journals --db {db} makes it anew from "
            "the runs' journals and from what else it holds, and keeps it as it is under another name."
        )
    if problems:
        raise UserError(" ".join(problems))


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
