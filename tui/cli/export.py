"""`export`: take results out, as a table or as a bundle."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.errors import UserError
from tui.cli.completion import complete_models, complete_runs
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json, refuse_two_formats
from warehouse.exporters import outfile
from warehouse.exporters.exporter import exporter_named, exporter_of, exporters
from warehouse.text import one_line

if TYPE_CHECKING:
    ExportFormat = str
else:
    ExportFormat = Literal[tuple(exporters())]


def export(
    what: Annotated[
        Literal["deltas", "every-eval-ever"] | None,
        typer.Argument(
            metavar="deltas|every-eval-ever",
            help="Every width against the unpruned model; or every score of --run, as Every Eval Ever's JSON.",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="The model, or the part of its name after the slash; may be repeated.",
            autocompletion=complete_models,
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all that a reader needs to check a table, for `import` to take in."),
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN", help="Only this run; in a bundle it may be repeated.", autocompletion=complete_runs
        ),
    ] = None,
    format_: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format", help="Markdown is laid out for papers.", show_default="as the file's name ends, else markdown"
        ),
    ] = None,
    as_json: Json = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of standard output.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file that is there; a database never is.")
    ] = False,
    method: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this pruning method.", show_default="all")
    ] = None,
    repair: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this repair: none, or lsq.", show_default="all")
    ] = None,
    wide: Annotated[bool, typer.Option("--wide/--long", help="A column for each benchmark, or a row.")] = False,
    side_by_side: Annotated[
        bool,
        typer.Option(
            "--side-by-side",
            help="Markdown, LaTeX, CSV: one table of all models, methods and levels, a column for each.",
        ),
    ] = False,
    level: Annotated[
        list[str] | None,
        typer.Option(metavar="LEVEL", help="Only this level beside the unpruned model; may be repeated."),
    ] = None,
    task: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this task; may be repeated.")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="This metric instead of the headline one; may be repeated."),
    ] = None,
    significance: Annotated[
        bool, typer.Option("--significance", help="Markdown: mark changes beyond noise and say how; compare methods.")
    ] = False,
    intervals: Annotated[
        bool, typer.Option("--intervals", help="Markdown: add the 95 % interval of each change.")
    ] = False,
    digits: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, max=9, help="LaTeX, Excel: decimals of scores.", show_default="4, of perplexities 2"
        ),
    ] = None,
    short: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TEXT", help="LaTeX, Excel: show TEXT for this model or benchmark; may be repeated."),
    ] = None,
    organization: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Every Eval Ever: who hands the scores on.", show_default="unknown"),
    ] = None,
    samples: Annotated[
        bool, typer.Option("--samples", help="Every Eval Ever: the answers to single documents, too.")
    ] = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Print a model's delta table, or write it to a file; or write a bundle, or a run's scores for Every Eval Ever.

    A bundle holds all runs, or those of --model and --run, with their documents' answers.
    """
    if bundle is not None:
        if what is not None or output is not None:
            raise UserError("A bundle is a file of its own: leave `deltas` and --output away, or export twice.")
        _export_bundle(db, bundle, models=model or (), runs=run or (), force=force)
        return
    if what == "every-eval-ever":
        if run is None or len(run) != 1 or output is None or model:
            raise UserError("Say which run, and the folder to write to: `export every-eval-ever --run RUN -o FOLDER`.")
        _export_records(db, run[0], output, organization=organization, samples=samples, force=force)
        return
    if what is None or not model or run:
        raise UserError("Say what to export: `export deltas --model NAME` for a table, `export --bundle FILE` for all.")
    from warehouse.exporters.export import export_deltas

    replace = output is not None and _may_replace(output, db, force=force)
    refuse_two_formats(format_, as_json)
    wanted = "json" if as_json else format_
    exporter = exporter_named(wanted) if wanted is not None else exporter_of(output)
    if exporter.binary and output is None and sys.stdout.isatty():
        raise UserError(f"{exporter.name.capitalize()} is no text for a terminal: name a file with -o, or pipe it on.")
    content = export_deltas(
        db,
        model=model,
        method=method,
        repair=repair,
        format=exporter.name,
        wide=wide,
        side_by_side=side_by_side,
        levels=level or (),
        tasks=task or (),
        metrics=metric or (),
        significance=significance,
        intervals=intervals,
        digits=digits,
        short=dict(_short(one) for one in short or ()),
    )
    data = content.encode() if isinstance(content, str) else content
    if output is not None:
        outfile.write(output, data, db, replace=replace)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _export_records(db: Path, run: str, folder: Path, *, organization: str | None, samples: bool, force: bool) -> None:
    """A file for each level, and one for its documents where they are wanted."""
    from tui.cli.known_runs import find
    from warehouse.exporters.every_eval_ever import every_eval_records

    records = every_eval_records(db, find(db, run).run_id, organization=organization, samples=samples)
    for name, text in records.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        outfile.write(folder / name, text.encode(), db, replace=_may_replace(folder / name, db, force=force))
        typer.echo(one_line(str(folder / name)))
    for why in records.left_out:
        typer.echo(f"Left out: {one_line(why)}.", err=True)


def _short(text: str) -> tuple[str, str]:
    name, is_, shown = text.partition("=")
    if not (name and is_ and shown):
        raise UserError(f"--short {text} names nothing: say NAME=TEXT, the name that is there and the one to show.")
    return name, shown


def _may_replace(path: Path, db: Path, *, force: bool) -> bool:
    """Whether the file that is there may go; a person at a terminal is asked.

    Raises:
        UserError: it may not, or it cannot be written anyway.
    """
    try:
        outfile.check(path, db, replace=force)
    except outfile.TakenError:
        # Nobody is asked where there is no terminal.
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        if not typer.confirm(f"Replace {one_line(str(path))}?", default=False, err=True):
            raise
        return True
    return force


def _export_bundle(db: Path, path: Path, *, models: Sequence[str], runs: Sequence[str], force: bool) -> None:
    from warehouse.exporters.bundle import write_bundle
    from warehouse.numbers import format_bytes

    replace = _may_replace(path, db, force=force)
    report = outfile.write_by(path, partial(write_bundle, db, models=models, runs=runs), db, replace=replace)
    what = f"{len(report.runs)} run{'' if len(report.runs) == 1 else 's'}"
    rows = f"{report.rows['metrics']:,} metrics and {report.rows['samples']:,} documents' results"
    written = f"{one_line(str(path))}: {what}, {rows}, {format_bytes(report.bytes)}"
    typer.echo(f"{written}. Fingerprint {report.fingerprint}.")
    for why in report.left_out:
        typer.echo(f"Left out, so that its documents cannot be read there: {one_line(why)}", err=True)
