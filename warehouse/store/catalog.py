"""What is in a file beside rows, and where it is not what this program makes: read from the file itself, since whatever
a file says of itself (a hash, a version) may have been written by anybody.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from warehouse.store import statements

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LEDGER = ("schema_migrations", "schema_views")
"""Tables that say which schema a file has; they are older than the first migration."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The texts, as DuckDB gives them, by name in lower case: names do not differ by case alone.

    `elsewhere` are views in other schemas than `main`, which no name without its schema means; `types` are the file's
    own, `triggers` what happens at a change of a table.
    """

    tables: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    macros: dict[str, str] = field(default_factory=dict)
    elsewhere: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Differences:
    """Where a file's catalog is not ours.

    `missing` and `altered` are tables; `replaced` are views and macros, which can be put back; `shadows` stand in for
    functions and types of DuckDB's; `own` are views that are none of ours.
    """

    missing: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    shadows: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


def names(con: DuckDBPyConnection) -> list[str]:
    """Of the files that `con` has open or attached."""
    return [name for (name,) in con.execute(statements.query("catalog_database")).fetchall()]


def read(con: DuckDBPyConnection, database: str | None = None) -> Catalog:
    """The catalog of the file that `con` has open, or of one of several. Nothing in the file is executed."""
    if database is None:
        [database] = names(con)

    def rows(query: str) -> Iterator[tuple[str, Any]]:
        for of, *row in con.execute(statements.query(f"catalog_{query}")).fetchall():
            if of == database:
                yield row[0], row[1:]

    def main(query: str) -> Iterator[list[Any]]:
        return (row for schema, row in rows(query) if schema == "main")

    views = list(rows("views"))
    macros = defaultdict(list)
    for name, kind, parameters, text in main("macros"):
        macros[name.lower()].append(f"{kind} {parameters} {text}")
    return Catalog(
        tables={name.lower(): text for name, text in main("tables")},
        views={name.lower(): text for schema, (name, text) in views if schema == "main"},
        macros={name: "\n".join(sorted(definitions)) for name, definitions in macros.items()},
        elsewhere=tuple(f"{schema}.{name}" for schema, (name, _) in views if schema != "main"),
        types=tuple(name for (name,) in main("types")),
        triggers=tuple(f"{name} on {table}" for name, table in main("triggers")),
    )


def compare(con: DuckDBPyConnection, theirs: Catalog, ours: Catalog) -> Differences:
    """Where `found`, which was read from `con`, is not `ours`."""
    return Differences(
        missing=missing(theirs, ours.tables),
        altered=(*altered(theirs, ours.tables), *theirs.triggers),
        replaced=(
            *_not_as(theirs.views, ours.views),
            *_not_as(theirs.macros, ours.macros),
        ),
        shadows=_shadows(con, [*sorted(set(theirs.macros) - set(ours.macros)), *theirs.types]),
        own=(*sorted(set(theirs.views) - {*ours.tables, *ours.views}), *theirs.elsewhere),
    )


def missing(theirs: Catalog, tables: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(set(tables) - set(theirs.tables)))


def altered(theirs: Catalog, tables: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in sorted(tables) if name in theirs.tables and theirs.tables[name] != tables[name])


def _not_as(theirs: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[str]:
    return (name for name in sorted(ours) if not (name in theirs and same(theirs[name], ours[name])))


def same(one: str, other: str) -> bool:
    """Whether two texts are one but for the order of what `* exclude (…)` and its like name: those are sets, which
    DuckDB puts another way round each time that it writes them to a file.
    """
    return one == other or (sorted(one) == sorted(other) and settled(one) == settled(other))


_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\b(?:EXCLUDE|REPLACE|RENAME) \(|[(),]|[^'"(),ER]+|.""", re.DOTALL)


@lru_cache(maxsize=1024)
def settled(text: str) -> str:
    """The text with each of those sets in order."""
    # For each bracket that is open: the items of it, and whether they are a set.
    open_: list[tuple[list[str], bool]] = [([""], False)]
    for token in _TOKEN.findall(text):
        if token.endswith("(") and token[0] not in "'\"":
            open_[-1][0][-1] += token
            open_.append(([""], len(token) > 1))
        elif token == "," and open_[-1][1]:
            open_[-1][0].append("")
        elif token == ")" and len(open_) > 1:
            items, is_set = open_.pop()
            if is_set:
                items = sorted(item.strip() for item in items)
            open_[-1][0][-1] += ", ".join(items) + token
        else:
            open_[-1][0][-1] += token
    return "(".join(", ".join(items) for items, _ in open_)


def _shadows(con: DuckDBPyConnection, names: Iterable[str]) -> tuple[str, ...]:
    if not names:
        return ()
    built_in = {name.lower() for (name,) in con.execute(statements.query("catalog_built_in")).fetchall()}
    return tuple(name for name in names if name.lower() in built_in)
