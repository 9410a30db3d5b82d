"""Queries to come back to: those that ship with the program, the user's own, and what was run before.

The user's are kept as JSON in the platform's folder for user data.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from warehouse import filenames
from warehouse.store import statements

_KEPT = 200  # statements of the history


@dataclass(frozen=True, slots=True)
class Saved:
    """A named query. The first comment of a shipped one says what it answers."""

    name: str
    sql: str
    shipped: bool

    @property
    def title(self) -> str:
        comment = next((line[2:].strip() for line in self.sql.splitlines() if line.startswith("--")), "")
        return f"{self.name}{'' if self.shipped else '  (yours)'}" + (f" – {comment}" if comment else "")


@dataclass(slots=True)
class QueryStore:
    """Not for two writers: the dashboard that saves last wins the file, but reads it first."""

    path: Path
    own: dict[str, str] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)  # newest first

    @classmethod
    def default(cls) -> QueryStore:
        from platformdirs import user_data_path

        return cls(user_data_path("prune-tui", appauthor=False) / "queries.json")

    def load(self) -> str | None:
        """Read the file; returns a sentence for the user where it cannot be read (it is set aside, not lost)."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            self.own = {str(name): str(sql) for name, sql in content["saved"].items()}
            self.history = [str(sql) for sql in content["history"]]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            try:
                aside = filenames.publish_beside(self.path, self.path.parent, self.path.stem, ".unreadable")
            except OSError:
                return f"Your saved queries could not be read from {self.path}: {error}"
            return f"Your saved queries could not be read ({error}): the file is now {aside}."
        return None

    def remember(self, sql: str) -> None:
        """Put a statement at the top of the history."""
        text = sql.strip()
        self.history = [text, *(one for one in self.history if one != text)][:_KEPT]

    def save(self) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: the folder cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        new.write_text(json.dumps({"saved": self.own, "history": self.history}, indent=1, ensure_ascii=False))
        new.replace(self.path)

    def all_saved(self) -> list[Saved]:
        """The user's own queries, then the shipped ones."""
        own = [Saved(name, sql, False) for name, sql in sorted(self.own.items())]
        return own + shipped()


def shipped() -> list[Saved]:
    """The queries of `sql/saved`."""
    return [Saved(name[3:].removesuffix(".sql").replace("_", " "), text, True) for name, text in statements.saved()]
