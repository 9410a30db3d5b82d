"""Commands about results: bring some in, take some out, ask your own questions."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.errors import UserError
from tui.cli.options import DEFAULT_DATABASE, Database, Debug
from tui.cli.output import one_line, printable

_PUBLISHED = "published"


def import_(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="published|PATH…", help="The published study, or result files and folders of them."),
    ],
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The unpruned model that lm-eval's files belong to.")
    ] = None,
    level: Annotated[float, typer.Option(metavar="PCT", help="How far it had been pruned.")] = 0.0,
    method: Annotated[str | None, typer.Option(metavar="NAME", help="And how.", show_default=False)] = None,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Bring in the published study, lm-eval's result files, or files in the study's format.

    lm-eval's files do not say what was pruned: --model, --level and --method do.
    """
    from warehouse.imports import import_path, import_published

    for source in sources:
        if source == _PUBLISHED:
            report = import_published(db)
        else:
            report = import_path(db, Path(source), model=model, level=level, method=method)
        known = f", {len(report.known)} known already" if report.known else ""
        typer.echo(f"{one_line(source)}: {len(report.imported)} imported{known}.")
        for path in report.skipped:
            typer.echo(f"{one_line(str(path))} holds no results.", err=True)


def export(
    what: Annotated[Literal["deltas"], typer.Argument(help="`deltas`: every width against the unpruned model.")],
    model: Annotated[str, typer.Option(metavar="NAME", help="The model, or the part of its name after the slash.")],
    format_: Annotated[
        Literal["markdown", "csv", "parquet", "json"], typer.Option("--format", help="Markdown is laid out for papers.")
    ] = "markdown",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of standard output.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this pruning method.", show_default="all")
    ] = None,
    wide: Annotated[bool, typer.Option("--wide/--long", help="A column for each benchmark, or a row.")] = False,
    task: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this task; may be repeated.")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="This metric instead of the headline one; may be repeated."),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Print a model's delta table, or write it to a file."""
    from warehouse.export import export_deltas

    if format_ == "parquet" and output is None and sys.stdout.isatty():
        raise UserError("Parquet is no text for a terminal: name a file with -o, or pipe it on.")
    content = export_deltas(
        db, model=model, method=method, format=format_, wide=wide, tasks=task or (), metrics=metric or ()
    )
    data = content.encode() if isinstance(content, str) else content
    if output is not None:
        output.write_bytes(data)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def sql(
    statement: Annotated[
        str | None, typer.Argument(metavar="STATEMENT", help="`-` reads it from standard input.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Read the statement from a file.")
    ] = None,
    format_: Annotated[
        Literal["table", "markdown", "csv", "json"], typer.Option("--format", help="How to print.")
    ] = "table",
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Give up after this long.")] = 30,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Ask the database in SQL. Reading only: nothing can be changed, and no other file is opened.

    Views to start from: headline_metrics, baseline_deltas, size_comparison, best_level, consistent_improvements.
    """
    from warehouse.console import format_table, run_sql

    if (statement is None) == (file is None):
        raise UserError("Give one SQL statement: as an argument, as `-` for standard input, or with --file.")
    if file is not None:
        text = file.read_text(encoding="utf-8")
    else:
        text = sys.stdin.read() if statement == "-" else str(statement)
    table = run_sql(db, text, timeout=timeout)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    sys.stdout.write(printable(format_table(table, format_, width=width)))
