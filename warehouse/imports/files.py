"""Importing a file or a folder of them: what each is, is told from its content."""

from __future__ import annotations

import json
import tempfile
from hashlib import sha256
from pathlib import Path

from warehouse import db as database
from warehouse.errors import UserError
from warehouse.imports import batch, lm_eval, published, study
from warehouse.imports.batch import ImportedRun, ImportReport


def import_path(
    db: Path,
    path: Path,
    *,
    model: str | None = None,
    level: float = 0.0,
    method: str | None = None,
    wait: float = 2.0,
) -> ImportReport:
    """Import lm-eval's results or the study's from a file, or from every `*results*` file under a folder.

    `model`, `level` (percent) and `method` say of lm-eval's files what they do not say themselves: which unpruned
    model they belong to and how far it was pruned.

    Raises:
        UserError: nothing to import there, or a file is corrupt, in which case nothing is imported.
        DatabaseBusyError: another process holds the DuckDB file.
    """
    if not 0 <= level <= 99:
        raise UserError(f"Level {level:g} is outside 0–99 %: give the share of neurons that had been removed.")
    with tempfile.TemporaryDirectory(prefix="prune-tui-import-") as scratch:
        runs: list[ImportedRun] = []
        skipped: list[Path] = []
        for file in _candidates(path):
            run = _read(file, Path(scratch), model=model, level=level, method=method)
            if run is not None:
                runs.append(run)
            elif path.is_dir():
                skipped.append(file)
            else:
                raise UserError(f"{file} is neither an lm-eval result file nor one of the study's: nothing imported.")
        if not runs:
            raise UserError(f"There are no result files in {path}: lm-eval's are named results_….json.")
        with database.open_write(db, wait=wait) as con:
            return batch.store(con, runs, skipped)


def _candidates(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*results*") if file.suffix in (".json", ".csv") and file.is_file())
    if not path.exists():
        raise UserError(f"There is no file or folder {path} to import.")
    return [path]


def _read(file: Path, scratch: Path, *, model: str | None, level: float, method: str | None) -> ImportedRun | None:
    try:
        content = file.read_bytes()
        text = content.decode("utf-8-sig")
        digest = sha256(repr((content, model, level, method)).encode()).hexdigest()[:12]
        if file.suffix.lower() == ".csv":
            return _study_run(study.read_csv(text), file, digest) if study.is_study_csv(text) else None
        data = json.loads(text)
        if study.is_study_json(data):
            return _study_run(study.read_json(data), file, digest)
        if lm_eval.is_results(data):
            return lm_eval.read_results(
                data, file, f"lm-eval-{digest}", scratch, model=model, level=level, method=method
            )
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}): nothing imported.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(f"{file} is not a result file that can be read ({reason}): nothing imported.") from error
    return None


def _study_run(found: study.StudyFile, file: Path, digest: str) -> ImportedRun:
    method = found.method or "unknown"
    run = ImportedRun(
        run_id=f"study-{digest}",
        name=file.name,
        origin="study",
        source=file.name,
        recorded_at=found.recorded_at or file.stat().st_mtime,
        method=method,
        conditions=published.conditions(found.device),
    )
    published.add_shapes(run, published.hub_name(found.model), method, {*found.scores, *found.measurements})
    study.add_to(run, found)
    return run
