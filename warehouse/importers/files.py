"""Importing files, or folders of them: what each is, is told from its content."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from warehouse.errors import UserError
from warehouse.importers import batch
from warehouse.importers.batch import ImportedRun, ImportReport
from warehouse.importers.importer import Context, Importer, NoResults, Source
from warehouse.importers.registry import importer_of, importers
from warehouse.importers.subject import Said
from warehouse.records.level import Level
from warehouse.store import db as database

# Files of such names are meant to be results, and said to be none if they are not.
_MEANT = re.compile(r"results|_\d{4}-\d{2}-\d{2}T\d{2}[-:]\d{2}[-:]\d{2}")


def import_path(db: Path, path: Path, **options: Any) -> ImportReport:
    """As `import_paths`, of one file or folder."""
    return import_paths(db, [path], **options)


def import_paths(
    db: Path,
    paths: Sequence[Path],
    *,
    model: str | None = None,
    level: Level | float | str | None = None,
    method: str | None = None,
    replace_values: bool = False,
    wait: float = 2.0,
) -> ImportReport:
    """Import the results in files, and in those under folders: all of them, or nothing.

    `model`, `level` and `method` say of lm-eval's files what they do not say themselves: which unpruned model they
    belong to and how far it was pruned; a level that is a number is a percentage. `replace_values` lets numbers give
    way to later ones of the same thing.

    Raises:
        UserError: nothing to import there, a file is corrupt, or files of several models would get one name.
        WouldReplaceError: numbers would give way to later ones.
        DatabaseBusyError: another process holds the DuckDB file.
    """
    said = Said(model=model, level=_level(level), method=method)
    read = _Read(importers())
    for path in paths:
        for file in read.candidates(path):
            read.add(Source(file), alone=not path.is_dir())
    if model is not None:
        _refuse_several(model, read.recognised)
    with tempfile.TemporaryDirectory(prefix="prune-tui-import-") as scratch:
        context = Context(said, Path(scratch), db, wait)
        for file in read.recognised:
            with _explained(file.source.path):
                read.take(file.importer.read(file.source, context), file.source.path)
        if not read.runs:
            raise UserError(_nothing(paths, read.skipped))
        with database.open_write(db, wait=wait, reach=[Path(scratch)]) as con:
            report = batch.store(con, read.runs, replace_values=replace_values)
    return replace(report, skipped=tuple(read.skipped))


def _level(said: Level | float | str | None) -> Level | None:
    match said:
        case None | Level():
            return said
        case str():
            return Level.parse(said)
        case _:
            if not 0 <= said <= 99:
                raise UserError(f"Level {said:g} is outside 0–99 %: give the share of neurons that had been removed.")
            return Level("pct", float(said))


@dataclass(frozen=True, slots=True)
class _Recognised:
    """A file of a kind, and the name of the model in it."""

    source: Source
    importer: Importer
    model: str | None


@dataclass(slots=True)
class _Read:
    """What the files turned out to be, one after the other."""

    importers: list[Importer]
    recognised: list[_Recognised] = field(default_factory=list)
    runs: list[ImportedRun] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)

    def candidates(self, path: Path) -> list[Path]:
        """Of a folder, the files with an ending that an importer has."""
        endings = {ending for importer in self.importers for ending in importer.suffixes}
        if path.is_dir():
            return sorted(file for file in path.rglob("*") if file.suffix.lower() in endings and file.is_file())
        if not path.exists():
            raise UserError(f"There is no file or folder {path} to import.")
        return [path]

    def add(self, source: Source, *, alone: bool) -> None:
        """Raises:
        UserError: the file cannot be read; or it was named by itself and is something else.
        """
        path = source.path
        meant = alone or _MEANT.search(path.name) is not None
        try:
            with _explained(path):
                importer = importer_of(source, self.importers)
                if importer is None and source.fault is not None:
                    raise source.fault
                model = None if importer is None else importer.model(source)
        except UserError:
            if meant:
                raise
            return
        if importer is not None:
            self.recognised.append(_Recognised(source, importer, model))
        elif alone:
            raise UserError(f"{path} is of no kind that can be imported (import --help lists them): nothing imported.")
        elif meant:
            self.skipped.append((path, "it holds no results"))

    def take(self, result: ImportedRun | NoResults, path: Path) -> None:
        if isinstance(result, NoResults):
            self.skipped.append((path, result.why))
        else:
            self.runs.append(result)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Whatever a file that is not as it should be leads to, as one sentence that names it."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): nothing imported.") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, csv.Error) as error:
        raise UserError(
            f"{path} is not a result file that can be read ({_reason(error)}): nothing imported."
        ) from error


def _reason(error: Exception) -> str:
    match error:
        case KeyError():
            return f"there is no {error}"
        case RecursionError():
            return "it is nested too deeply"
        case UnicodeDecodeError() if error.object[:2] == b"\x1f\x8b":
            return "it is compressed: unpack it first"
        case _:
            return str(error)[:200]


def _refuse_several(model: str, files: Iterable[_Recognised]) -> None:
    """`--model` names one model: files of two would take each other's place under it."""
    names: dict[str, str] = {}
    for file in files:
        if file.model is not None:
            names.setdefault(_plain_name(file.model), file.model)
    if len(names) > 1:
        raise UserError(
            f"These are results of {' and '.join(names.values())}: as {model} they would take each other's place. "
            "Nothing imported: import them one by one, each with its own --model and --level."
        )


def _plain_name(model: str) -> str:
    return model.rstrip("/").removeprefix("./")


def _nothing(paths: Sequence[Path], skipped: Sequence[tuple[Path, str]]) -> str:
    if skipped:
        reasons = "; ".join(f"{path}: {why}" for path, why in skipped[:3])
        return f"Nothing imported. {reasons}."
    listed = ", ".join(map(str, paths))
    return f"There are no result files in {listed}: lm-eval's are JSON, written with --output_path."
