"""The SQL files that ship with the program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

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
    """The text of `sql/queries/<name>.sql`."""
    return (SQL / "queries" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def migrations() -> tuple[Migration, ...]:
    """Every migration, oldest first; their numbers run from 1 without gaps."""
    return tuple(Migration(int(name[:4]), name[5:].removesuffix(".sql"), text) for name, text in _folder("migrations"))


@cache
def macros() -> tuple[str, ...]:
    """The functions that views and queries use, in the order in which they build on each other."""
    return tuple(text for _, text in _folder("macros"))


@cache
def views() -> tuple[str, ...]:
    """The definitions of the views, in the order in which they build on each other."""
    return tuple(text for _, text in _folder("views"))


@cache
def saved() -> tuple[tuple[str, str], ...]:
    """The queries of `sql/saved`, each with the name of its file."""
    return tuple(_folder("saved"))


@cache
def view(name: str) -> str:
    """The definition in `sql/views/<name>.sql`."""
    return (SQL / "views" / f"{name}.sql").read_text(encoding="utf-8")


def _folder(folder: str) -> list[tuple[str, str]]:
    return [(path.name, path.read_text(encoding="utf-8")) for path in sorted((SQL / folder).glob("*.sql"))]
