"""Commands about the runs that there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import UserError
from engine.runs import rundir
from engine.runs.create import check_database
from engine.runs.digests import Digest, Digests
from engine.runs.rundir import RunDir
from tui.cli import grouped, known_runs, session
from tui.cli.listing import print_rows
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import duration, print_json
from warehouse.commands import hint
from warehouse.errors import AlteredError
from warehouse.store import run_folders
from warehouse.text import counted, one_line

if TYPE_CHECKING:
    from warehouse.merging.merge import MergeReport


_HEADER = ("run", "name", "state", "done", "left")
_NUMBERS = ("done", "left")


def runs(
    watch: Annotated[
        bool, typer.Option("--watch", help="List them again as they go on, until none is at work.")
    ] = False,
    as_json: Json = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """List the runs beside a database and what was imported into it, and where each stands; below them what was started
    together, as sweeps.
    """
    if watch:
        grouped.watch(db, lambda: _list(db, as_json=as_json))
    else:
        _list(db, as_json=as_json)


def _list(db: Path, *, as_json: bool) -> None:
    digests = Digests.load(db)
    listed = list(digests.runs())
    digests.save()
    stored, why_none = known_runs.stored_only(db)
    if as_json:
        imported = [known_runs.plain(run, db) for run in stored]
        own = [_plain(run, digest) for run, digest in listed]
        print_json({"runs": imported + own, "sweeps": grouped.sweeps(listed, db)})
    elif stored or listed:
        print_rows(_HEADER, [*map(known_runs.row, stored), *(_row(run, digest) for run, digest in listed)], _NUMBERS)
        grouped.print_sweeps(listed, db)
    else:
        typer.echo(f"{rundir.none_there(db)}.", err=True)
    check_database(db)  # last: runs are in their journals, whatever became of the file
    if why_none is not None:
        typer.echo(one_line(str(why_none)), err=True)


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
    from warehouse.merging.merge import merge_all
    from warehouse.merging.remake import remake
    from warehouse.stats import pairing

    root = rundir.runs_root(db)
    if from_journals:
        remade = remake(db, root, wait=2.0)
        report = remade.merged
        carried = f", and {counted(remade.events, 'event')} of others from the file itself" if remade.events else ""
        typer.echo(
            f"{db} is made anew from the journals of {counted(len(report.merged), 'run')}{carried}. "
            f"{remade.kept} is the file as it was."
        )
        for what in remade.left:
            typer.echo(f"In {remade.kept.name} alone: {one_line(what)}", err=True)
    else:
        check_database(db)
        report = merge_all(db, root, wait=2.0)
        digests = Digests.load(db)
        report.unreadable = digests.damaged() | report.unreadable
        digests.save()
        new = {run_id: count for run_id, count in report.merged.items() if count}
        for run_id, count in new.items():
            typer.echo(f"{run_id}: {counted(count, 'event')} merged")
        if not new:
            typer.echo("Nothing to merge.")
    if rebuild:
        typer.echo(f"{counted(pairing.rebuild(db, wait=2.0), 'change')} compared document by document.")
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
            f"document by document: put the files back, then {hint('merge', '--from-journals', db=db)}.",
            err=True,
        )
    for run_id, cut in report.cut.items():
        typer.echo(f"{run_id}: {cut} {hint('resume', run_id, db=db)} does what is gone again.", err=True)
    if not report.merged and not report.homeless and run_folders.of_others(db, root):
        typer.echo(f"{rundir.none_there(db)}.", err=True)
    if report.homeless:
        typer.echo(
            f"{db} holds runs of this program's ({report.homeless}), but there is no folder {root}. Was the database "
            f"renamed or moved? Give their folder this name, too, or make {root} a link to it.",
            err=True,
        )
    problems = [f"{run_id}: {reason}" for run_id, reason in report.unreadable.items()]
    if report.altered:
        listed = "; ".join(f"{run_id}: {reason}" for run_id, reason in report.altered.items())
        problems.append(str(AlteredError(db, listed)))
    if problems:
        raise UserError(" ".join(problems))


def _plain(run: RunDir, digest: Digest | UserError) -> dict[str, Any]:
    if isinstance(digest, UserError):
        return {"run_id": run.run_id, "state": "damaged", "error": str(digest)}
    return session.summary_of(run, digest)


def _row(run: RunDir, digest: Digest | UserError) -> tuple[str, ...]:
    if isinstance(digest, UserError):
        return run.run_id, "", f"damaged: {one_line(str(digest))}", "", ""
    cells = f"{digest.done}/{digest.total if digest.total is not None else '?'}"
    failed = f", {digest.failed} failed" if digest.failed else ""
    left = duration(digest.seconds_left) if digest.current and digest.seconds_left else ""
    return run.run_id, one_line(digest.name), str(digest.standing(run)), cells + failed, left
