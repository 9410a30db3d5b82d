"""`sql`: ask your own questions."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.errors import UserError
from tui.cli.files import text_of
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json, refuse_two_formats
from warehouse.text import printable

_DIGITS = 6  # of a float, significant ones


def sql(
    statement: Annotated[
        str | None, typer.Argument(metavar="STATEMENT", help="`-` reads it from standard input.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Read the statement from a file.")
    ] = None,
    format_: Annotated[
        Literal["table", "markdown", "csv", "json"] | None,
        typer.Option("--format", help="How to print.", show_default="table"),
    ] = None,
    as_json: Json = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Give up after this long.")] = 30,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Ask the database in SQL. Reading only: nothing can be changed, and no other file is opened.

    On a terminal a long result is its head and tail, and a wide one lacks its middle. Floats are rounded in tables;
    --json and --format csv have them in full.

    Views to start from: headline_metrics, baseline_deltas, size_comparison, best_level, consistent_improvements.
    """
    from warehouse.console.console import format_table, run_sql

    if (statement is None) == (file is None):
        raise UserError("Give one SQL statement: as an argument, as `-` for standard input, or with --file.")
    text = text_of(file) if file is not None else sys.stdin.read() if statement == "-" else str(statement)
    refuse_two_formats(format_, as_json)
    how = "json" if as_json else format_ or "table"
    table = run_sql(db, text, timeout=timeout)
    if how == "table" and sys.stdout.isatty():
        from warehouse.exporters.terminal import on_terminal

        text = on_terminal(table, shutil.get_terminal_size().columns, digits=_DIGITS)
    else:
        text = format_table(table, how, digits=_DIGITS)
    sys.stdout.write(printable(text))
