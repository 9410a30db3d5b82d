"""`import`: bring results in, and say of each file what of it is in the database now."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import UserError
from tui.cli.once import Command
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import print_json
from warehouse.text import counted, one_line

if TYPE_CHECKING:
    from warehouse.importers import ImportReport, WouldReplaceError
    from warehouse.importers.replaced import Replaced


class ImportCommand(Command):
    """Its help lists the kinds of files that there are, with those of other packages."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from rich.markup import escape

        from warehouse.importers.registry import listed

        kinds = [
            f"{escape(one_line(kind.name))}: {escape(one_line(kind.title))}"
            + (f" (from {escape(one_line(kind.package))})" if kind.package else "")
            for kind in listed()
        ]
        # Between two empty lines typer's help joins what there is.
        self.epilog = "\n\n".join(["What is read, told from its content:", *kinds])
        super().format_help(ctx, formatter)


def _looks_at_text(method: str) -> bool:
    """Of a method that is not installed nobody can tell."""
    from engine.planning.methods import find_method

    try:
        return find_method(method.lower()).declared.needs_activations
    except UserError:
        return False


def import_(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="published|PATH…", help="The published study, bundles, or result files and folders of them."
        ),
    ],
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The unpruned model that lm-eval's files belong to.")
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(
            metavar="LEVEL",
            help="How far it had been pruned: a percentage (40), a ratio (2.4x) or a width (w4096).",
            show_default="what `save` wrote beside the checkpoint, else 0",
        ),
    ] = None,
    method: Annotated[str | None, typer.Option(metavar="NAME", help="And how.", show_default=False)] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let numbers of the same thing give way to later ones.")
    ] = False,
    as_json: Json = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Bring in the published study, a bundle, lm-eval's result files, or files in the study's format.

    Checkpoints that `save` wrote say what they are. Of others lm-eval's files do not say what was pruned: --model,
    --level and --method do.
    """
    from warehouse.importers import WouldReplaceError, import_paths
    from warehouse.importers.importer import Source
    from warehouse.importers.registry import transfer_of

    if method is not None and _looks_at_text(method):
        raise UserError(
            f"{method} looks at calibration text, of which result files say nothing: import what was measured on a "
            "checkpoint that `prune-tui save` wrote, which says it, and leave --method away."
        )

    def files(*, replace_values: bool) -> ImportReport:
        return import_paths(db, paths, model=model, level=level, method=method, replace_values=replace_values)

    kinds = [(source, transfer_of(Source(source))) for source in sources]
    paths = [Path(source) for source, transfer in kinds if transfer is None]
    reports: list[tuple[str, ImportReport]] = []
    # Files first: they alone may be refused for what is in the database.
    if paths:
        try:
            report = files(replace_values=replace)
        except WouldReplaceError as refused:
            if as_json:
                print_json({"would_replace": [_both(one) for one in refused.replaced]})
            if as_json or not _agreed(refused):
                raise
            report = files(replace_values=True)
        reports.append((", ".join(map(str, paths)), report))
    for source, transfer in kinds:
        if transfer is not None:
            reports.append((source, transfer.bring_in(db, Source(source))))
    if as_json:
        print_json(_plain([report for _, report in reports]))
    else:
        for source, report in reports:
            _say(source, report)


def _agreed(refused: WouldReplaceError) -> bool:
    """Whether the person at the terminal lets the numbers go; nobody is asked where there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    for one in refused.replaced:
        typer.echo(f"replaces {one_line(str(one))}", err=True)
    return typer.confirm(f"Replace {counted(len(refused.replaced), 'number')}?", default=False, err=True)


def _say(source: str, report: ImportReport) -> None:
    already = f", {len(report.known)} known already" if report.known else ""
    typer.echo(f"{one_line(source)}: {len(report.imported)} imported{already}.")
    for one in report.stored:
        if one.file and not one.known:
            counts = f"{counted(one.metrics, 'metric')}, {counted(one.samples, 'sample')}"
            typer.echo(f"  {one_line(one.file)}: {counts}; {one_line(one.about)}.")
    for one in report.replaced:
        typer.echo(f"  replaced {one_line(str(one))}")
    for path, why in report.skipped:
        typer.echo(f"{one_line(str(path))}: nothing imported, {one_line(why)}.", err=True)
    for note in report.notes:
        typer.echo(one_line(note), err=True)


def _plain(reports: Sequence[ImportReport]) -> dict[str, Any]:
    runs = [asdict(one) for report in reports for one in report.stored]
    return {
        "imported": [run_id for report in reports for run_id in report.imported],
        "known": [run_id for report in reports for run_id in report.known],
        "files": runs,
        "skipped": [{"file": str(path), "reason": why} for report in reports for path, why in report.skipped],
        "replaced": [_both(one) for report in reports for one in report.replaced],
        "notes": [note for report in reports for note in report.notes],
    }


def _both(one: Replaced) -> dict[str, Any]:
    return asdict(one) | {"differs": list(one.differs)}
