"""Importing files, or folders of them: what each is, is told from its content."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from warehouse.errors import UserError
from warehouse.importers import batch, lm_eval, published, study
from warehouse.importers.batch import ImportedRun, ImportReport
from warehouse.importers.lm_eval import ResultFile
from warehouse.importers.subject import KnownModels, Said, subject_of
from warehouse.records.level import Level
from warehouse.store import db as database

# Files of such names are meant to be results, and said to be none if they are not.
_MEANT = re.compile(r"results|_\d{4}-\d{2}-\d{2}T\d{2}[-:]\d{2}[-:]\d{2}")
_MOST_DIGITS = 300


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
    """Import lm-eval's results or the study's from files, and from those under folders: all of them, or nothing.

    `model`, `level` and `method` say of lm-eval's files what they do not say themselves: which unpruned model they
    belong to and how far it was pruned; a level that is a number is a percentage. `replace_values` lets numbers give
    way to later ones of the same thing.

    Raises:
        UserError: nothing to import there, a file is corrupt, or files of several models would get one name.
        WouldReplaceError: numbers would give way to later ones.
        DatabaseBusyError: another process holds the DuckDB file.
    """
    said = Said(model=model, level=_level(level), method=method)
    read = _Read()
    for path in paths:
        for file in _candidates(path):
            read.add(file, alone=not path.is_dir())
    if model is not None:
        _refuse_several(model, read.results)
    known = _known_models(db, wait) if read.results else KnownModels()
    with tempfile.TemporaryDirectory(prefix="prune-tui-import-") as scratch:
        for file, content in read.results:
            with _explained(file.path):
                read.take(file, content, said, known, Path(scratch))
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


@dataclass(slots=True)
class _Read:
    """What the files turned out to be, one after the other."""

    results: list[tuple[ResultFile, bytes]] = field(default_factory=list)
    runs: list[ImportedRun] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)

    def add(self, path: Path, *, alone: bool) -> None:
        """Raises:
        UserError: the file cannot be read; or it was named by itself and is something else.
        """
        meant = alone or _MEANT.search(path.name) is not None
        try:
            with _explained(path):
                content = path.read_bytes()
                found = _told(path, content)
        except UserError:
            if meant:
                raise
            return
        if isinstance(found, ImportedRun):
            self.runs.append(found)
        elif found is not None:
            self.results.append((found, content))
        elif alone:
            raise UserError(f"{path} is neither an lm-eval result file nor one of the study's: nothing imported.")
        elif meant:
            self.skipped.append((path, "it holds no results"))

    def take(self, file: ResultFile, content: bytes, said: Said, known: KnownModels, scratch: Path) -> None:
        """Raises:
        UserError: it cannot be told what was measured.
        """
        subject = subject_of(file.path, file.measured, said, known)
        asked = Level.parse(subject.level)
        level = asked.amount if asked.kind == "pct" else subject.level
        # As earlier versions named an import, so that one is known again.
        named = subject.model if said.model is None and subject.model != file.model else said.model
        digest = sha256(repr((content, named, level, subject.method)).encode()).hexdigest()[:12]
        run = lm_eval.read_results(file, subject, f"lm-eval-{digest}", scratch)
        if run.metrics:
            self.runs.append(run)
        else:
            self.skipped.append((file.path, _no_metric(file)))


def _candidates(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.suffix.lower() in (".json", ".csv") and file.is_file())
    if not path.exists():
        raise UserError(f"There is no file or folder {path} to import.")
    return [path]


def _told(path: Path, content: bytes) -> ImportedRun | ResultFile | None:
    text = content.decode("utf-8-sig")
    if path.suffix.lower() == ".csv":
        return _study_run(study.read_csv(text), path, content) if study.is_study_csv(text) else None
    data = json.loads(text, parse_int=_whole)
    _refuse_stray_halves(data, text)
    if study.is_study_json(data):
        return _study_run(study.read_json(data), path, content)
    return ResultFile(path, data) if lm_eval.is_results(data) else None


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


def _whole(text: str) -> int:
    """Raises:
    ValueError: no number in a result file is that long.
    """
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _refuse_stray_halves(data: Any, text: str) -> None:
    """Half of a character written in two escapes is no text, and no file could hold it."""
    if "\\ud" in text.lower():
        json.dumps(data, ensure_ascii=False).encode()


def _known_models(db: Path, wait: float) -> KnownModels:
    if not db.exists():
        return KnownModels()
    with database.open_read(db, wait=wait) as con:
        return KnownModels(con)


def _refuse_several(model: str, files: Iterable[tuple[ResultFile, bytes]]) -> None:
    """`--model` names one model: files of two would take each other's place under it."""
    names: dict[str, str] = {}
    for file, _ in files:
        if file.model is not None:
            names.setdefault(_plain_name(file.model), file.model)
    if len(names) > 1:
        raise UserError(
            f"These are results of {' and '.join(names.values())}: as {model} they would take each other's place. "
            "Nothing imported: import them one by one, each with its own --model and --level."
        )


def _plain_name(model: str) -> str:
    return model.rstrip("/").removeprefix("./")


def _no_metric(file: ResultFile) -> str:
    results = file.data["results"]
    if not results:
        return "no metric in it that can be read: its results are empty"
    if not any("," in name for result in results.values() for name in result):
        return "no metric in it that can be read (lm-eval before 0.4, or another program's)"
    return f"no metric in it that can be read: those of {', '.join(list(results)[:3])} have no values"


def _nothing(paths: Sequence[Path], skipped: Sequence[tuple[Path, str]]) -> str:
    if skipped:
        told = "; ".join(f"{path}: {why}" for path, why in skipped[:3])
        return f"Nothing imported. {told}."
    listed = ", ".join(map(str, paths))
    return f"There are no result files in {listed}: lm-eval's are JSON, written with --output_path."


def _study_run(found: study.StudyFile, file: Path, content: bytes) -> ImportedRun:
    digest = sha256(repr((content, None, 0.0, None)).encode()).hexdigest()[:12]
    method = found.method or "unknown"
    run = ImportedRun(
        run_id=f"study-{digest}",
        name=file.name,
        origin="study",
        source=file.name,
        recorded_at=found.recorded_at or file.stat().st_mtime,
        method=method,
        conditions=published.conditions(found.device),
        about=f"{published.hub_name(found.model)}, {len({*found.scores, *found.measurements})} levels",
        file=file,
    )
    published.add_shapes(run, published.hub_name(found.model), method, {*found.scores, *found.measurements})
    study.add_to(run, found)
    return run
