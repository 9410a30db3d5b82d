"""The SQL files that ship with the program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from warehouse.store import definitions
from warehouse.store.definitions import Definition

# In the repository and in the wheel, beside this package.
SQL = Path(__file__).resolve().parents[2] / "sql"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered change of the schema, `sql/migrations/NNNN_name.sql`."""

    version: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return sha256(self.text.encode()).hexdigest()


@cache
def query(name: str) -> str:
    """The text of `<name>.sql` in `sql/queries`, in whichever folder: a name stands for one query."""
    return _queries()[name].read_text(encoding="utf-8")


@cache
def migrations() -> tuple[Migration, ...]:
    """Every migration, oldest first; their numbers run from 1 without gaps."""
    return tuple(Migration(int(name[:4]), name[5:].removesuffix(".sql"), text) for name, text in _folder("migrations"))


@cache
def macros() -> tuple[str, ...]:
    """The functions that views and queries use, in the order in which they build on each other."""
    return tuple(one.text for one in _macros())


@cache
def views() -> tuple[str, ...]:
    """The definitions of the views, in the order in which they build on each other."""
    return tuple(one.text for one in _views())


@cache
def studies() -> tuple[Definition, ...]:
    """Views that hold a paper's claims against the results, in the order in which they build on each other."""
    given = [name for one in (*_macros(), *_views()) for name in one.makes]
    return tuple(definitions.in_order(definitions.read(SQL / "studies"), given))


@cache
def table_comments() -> str:
    """What columns of tables hold: statements, beside those of the migrations."""
    return (SQL / "comments" / "tables.sql").read_text(encoding="utf-8")


@cache
def column_comments() -> str:
    """What columns of a name hold: a query, to be put into another."""
    return (SQL / "comments" / "columns.sql").read_text(encoding="utf-8").rstrip().removesuffix(";")


@cache
def saved() -> tuple[tuple[str, str], ...]:
    """The queries of `sql/saved`, each with the name of its file."""
    return tuple(_folder("saved"))


def view(name: str) -> str:
    """The definition in `sql/views/…/<name>.sql`."""
    [text] = [one.text for one in _views() if one.name == name]
    return text


@cache
def _queries() -> dict[str, Path]:
    return {path.stem: path for path in (SQL / "queries").rglob("*.sql")}


@cache
def _macros() -> tuple[Definition, ...]:
    return tuple(definitions.in_order(definitions.read(SQL / "macros")))


@cache
def _views() -> tuple[Definition, ...]:
    given = [name for one in _macros() for name in one.makes]
    return tuple(definitions.in_order(definitions.read(SQL / "views"), given))


def _folder(folder: str) -> list[tuple[str, str]]:
    return [(path.name, path.read_text(encoding="utf-8")) for path in sorted((SQL / folder).glob("*.sql"))]
