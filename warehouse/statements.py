"""The SQL files that ship with the program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files


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
    return files("sql").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


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
def view(name: str) -> str:
    """The definition in `sql/views/<name>.sql`."""
    return files("sql").joinpath("views", f"{name}.sql").read_text(encoding="utf-8")


def _folder(folder: str) -> list[tuple[str, str]]:
    entries = (entry for entry in files("sql").joinpath(folder).iterdir() if entry.name.endswith(".sql"))
    return sorted((entry.name, entry.read_text(encoding="utf-8")) for entry in entries)
