"""What a statement can select from: the tables and views of a database, with their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
