"""`views` and `schema`: what there is to select from, in words."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tui.cli.listing import print_rows
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import print_json
from warehouse.text import one_line


def views(as_json: Json = False, db: Database = DEFAULT_DATABASE, debug: Debug = False) -> None:
    """List the views of the database, each with what one row of it is: for `sql`.

    `schema` lists the tables as well, `schema NAME` the columns of one.
    """
    _list(db, ("view",), as_json=as_json)


def schema(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A view or table: its columns.")] = None,
    as_json: Json = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """List the views and tables of the database, or the columns of one with their types and what they hold."""
    if name is None:
        _list(db, ("view", "table"), as_json=as_json)
        return
    from warehouse.read.relations import read_columns

    source, columns = read_columns(db, name)
    if as_json:
        about = {"name": source.name, "kind": source.kind, "comment": source.comment}
        print_json(about | {"columns": [asdict(column) for column in columns]})
        return
    typer.echo(f"{one_line(source.name)} ({source.kind}): {one_line(source.comment)}\n")
    rows = [(one_line(one.name), one.type.lower(), one_line(one.comment or "")) for one in columns]
    print_rows(("column", "type", "holds"), rows)


def _list(db: Path, kinds: tuple[str, ...], *, as_json: bool) -> None:
    from warehouse.read.relations import read_sources

    found = [source for source in read_sources(db) if source.kind in kinds]
    if as_json:
        told = [{"name": one.name, "kind": one.kind, "comment": one.comment} for one in found]
        print_json({"views" if kinds == ("view",) else "relations": told})
        return
    if len(kinds) == 1:
        print_rows((kinds[0], "holds"), [(one_line(one.name), one_line(one.comment)) for one in found])
    else:
        rows = [(one_line(one.name), one.kind, one_line(one.comment)) for one in found]
        print_rows(("name", "kind", "holds"), rows)
