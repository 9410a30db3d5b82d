"""What an importer is: a kind of file, whether a file is of that kind, and the results in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from warehouse.importers.batch import ImportedRun, ImportReport
from warehouse.importers.subject import KnownModels, Said
from warehouse.store import db as database

_MOST_DIGITS = 300


class Source:
    """What is to be imported, as it was named; read when it is first asked for."""

    def __init__(self, named: str | Path) -> None:
        self.named = str(named)
        self.path = Path(named)
        self.fault: Exception | None = None
        """Why the file's content is no JSON, once somebody asked for that."""

    @property
    def suffix(self) -> str:
        return self.path.suffix.lower()

    @cached_property
    def content(self) -> bytes:
        """Raises:
        OSError: it cannot be read.
        """
        return self.path.read_bytes()

    @cached_property
    def text(self) -> str:
        """Raises:
        OSError, UnicodeDecodeError: it cannot be read, or is no text.
        """
        return self.content.decode("utf-8-sig")

    @cached_property
    def data(self) -> dict[str, Any]:
        """The JSON object that the file is; empty where it is anything else."""
        try:
            data = json.loads(self.text, parse_int=_whole)
            if "\\ud" in self.text.lower():  # half of a character is no text, and no file could hold it
                json.dumps(data, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            self.fault = error
            return {}
        return data if isinstance(data, dict) else {}

    def digest(self, *details: object) -> str:
        """A name for what was imported, of the content and of what else was told of it."""
        return sha256(repr((self.content, *details)).encode()).hexdigest()[:12]


class Context:
    """What an importer may need beside the file: what the caller `said`, a folder that lives until the runs are stored,
    and the models that are known.
    """

    def __init__(self, said: Said, scratch: Path, db: Path, wait: float) -> None:
        self.said = said
        self.scratch = scratch
        self._db, self._wait = db, wait

    @cached_property
    def models(self) -> KnownModels:
        if not self._db.exists():
            return KnownModels()
        with database.open_read(self._db, wait=self._wait) as con:
            return KnownModels(con)


@dataclass(frozen=True, slots=True)
class NoResults:
    """A file of the kind, without one number in it."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of file. `name` is what people call it, `title` a line on what is read of it."""

    name: str
    title: str
    recognise: Callable[[Source], bool]
    """By its content. An exception that is no OSError or UnicodeDecodeError is a defect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer(Format):
    """One whose files each hold the results of one run.

    `suffixes` are those that folders are searched for; a file that is named by itself may have another. `read` may
    raise KeyError, TypeError, ValueError, AttributeError and OverflowError where the file is not as it should be.
    `model` is the name of what was measured, where the file says.
    """

    suffixes: tuple[str, ...]
    read: Callable[[Source, Context], ImportedRun | NoResults]
    model: Callable[[Source], str | None] = lambda source: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Format):
    """One that brings its rows in by itself, all or nothing: `bring_in` takes the database, and what is brought."""

    bring_in: Callable[[Path, Source], ImportReport]


def _whole(text: str) -> int:
    """Raises:
    ValueError: no number in a result file is that long.
    """
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)
