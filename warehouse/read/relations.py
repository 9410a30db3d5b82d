"""What a statement can select from: the tables and views of a database, with their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from warehouse.errors import UserError
from warehouse.store import answers
from warehouse.store.answers import Record


@dataclass(frozen=True, slots=True)
class Source:
    """A row of `console_names`: a table or view, with its columns and their types."""

    name: str
    kind: str
    comment: str
    columns: Mapping[str, str]

    @classmethod
    def of(cls, record: Record) -> Source:
        columns = dict(zip(record["columns"], record["types"], strict=True))
        return cls(record["name"], record["kind"], record["comment"] or "", columns)


@dataclass(frozen=True, slots=True)
class Column:
    """A row of `console_columns`; `comment` says what it holds."""

    name: str
    type: str
    comment: str | None


def read_sources(path: Path, *, wait: float = 2.0) -> list[Source]:
    """Every table and view of a database, views first.

    Raises:
        UserError, DatabaseBusyError: as `db.open_read`.
    """
    from warehouse.store import db  # the dashboard takes the rest of this module, and starts without duckdb

    with db.open_read(path, wait=wait) as con:
        return [Source.of(record) for record in answers.ask(con, "console_names")]


def read_columns(path: Path, name: str, *, wait: float = 2.0) -> tuple[Source, list[Column]]:
    """A table or view, and its columns in their order; the name in any case.

    Raises:
        UserError: there is none of this name; or as `db.open_read`.
    """
    from warehouse.store import db

    with db.open_read(path, wait=wait) as con:
        sources = {record["name"].lower(): Source.of(record) for record in answers.ask(con, "console_names")}
        if (source := sources.get(name.lower())) is None:
            close = get_close_matches(name.lower(), sources, n=3, cutoff=0.5)
            meant = (
                f"did you mean {' or '.join(sources[one].name for one in close)}?" if close else "`schema` lists them."
            )
            raise UserError(f"There is no table or view '{name}': {meant}")
        return source, answers.read(con, "console_columns", Column, {"name": source.name})
