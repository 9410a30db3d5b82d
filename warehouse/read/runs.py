"""What the warehouse knows of runs and models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.errors import UserError
from warehouse.records.names import same_name, short_name
from warehouse.store import answers, db, statements

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run as merged so far. `state` is the last thing it said; `created_at` is UTC; `levels` are those begun.

    `calibrated_on` names the text that neurons were looked at on, `sweep` is equal for runs that were started together.
    """

    run_id: str
    name: str
    origin: str
    model_id: str | None
    model: str | None
    method: str | None
    repair: str | None
    calibrated_on: str | None
    sweep: str | None
    suite: str | None
    conditions: str | None
    created_at: datetime
    state: str
    cells_done: int
    cells_failed: int
    levels: list[str]


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One unpruned model that runs or imports brought in."""

    model_id: str
    model: str
    weights_hash: str | None
    runs: int
    origins: list[str]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run or import, as the database has it: a row of `stored_run`. Times are UTC; `plan` is JSON.

    `tasks` are those that it measured, as a plan would name them; `failures` have level, task and error.
    """

    run_id: str
    name: str
    origin: str
    model_id: str | None
    model: str | None
    revision: str | None
    parameters: int | None
    method: str | None
    suite: str | None
    conditions: str | None
    created_at: datetime
    state: str
    cells_done: int
    cells_failed: int
    last_cell_at: datetime | None
    plan: str | None
    levels: list[str]
    tasks: list[str]
    failures: list[dict[str, str]]
    host: str | None


def stored_run(path: Path, run_id: str, *, wait: float = 2.0) -> StoredRun | None:
    """What the database has of a run, None where that is nothing.

    Raises:
        UserError, DatabaseBusyError: as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        found = answers.read(con, "stored_run", StoredRun, {"run_id": run_id})
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """A row of `measured_models`. `measured` has method, repair, conditions, levels (percent pruned) and benchmarks."""

    model_id: str
    model: str
    model_type: str | None
    parameters: int | None
    runs: int
    origins: list[str]
    measured: list[dict[str, Any]]


def measured_models(path: Path, *, wait: float = 2.0) -> list[MeasuredModel]:
    """All models in the warehouse, by name, and what is measured of each.

    Raises:
        UserError, DatabaseBusyError: as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        return answers.read(con, "measured_models", MeasuredModel)


def list_runs(path: Path, *, wait: float = 2.0) -> list[RunSummary]:
    """All runs and imports in the warehouse, newest first.

    Raises:
        UserError, DatabaseBusyError: as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        return [RunSummary(*row) for row in con.execute(statements.query("runs")).fetchall()]


def list_models(path: Path, *, wait: float = 2.0) -> list[ModelSummary]:
    """All models in the warehouse, by name.

    Raises:
        UserError, DatabaseBusyError: as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        return models(con)


def models(con: DuckDBPyConnection) -> list[ModelSummary]:
    return [ModelSummary(*row) for row in con.execute(statements.query("models")).fetchall()]


def find_models(con: DuckDBPyConnection, name: str) -> list[ModelSummary]:
    """The model of this name, or whose name ends in this part after a slash, in any case; a model_id does, too.

    Several only where they have the same name and differ in their weights (or in whether those are known).

    Raises:
        UserError: there is none, or models of several names fit.
    """
    summaries = models(con)
    wanted = name.strip().rstrip("/")
    for fits in (
        lambda model: wanted in (model.model_id, model.model),
        lambda model: model.model.lower() == wanted.lower(),
        lambda model: same_name(model.model, wanted),
    ):
        matches = [model for model in summaries if fits(model)]
        names = dict.fromkeys(model.model for model in matches)
        if len(names) > 1:
            raise UserError(f"'{name}' fits {len(names)} models: {', '.join(names)}. Give one of these names in full.")
        if matches:
            return matches
    if not summaries:
        raise UserError("The database holds no results yet: start a run, or bring the study's in (import published).")
    by_key = {key: model.model for model in summaries for key in (model.model.lower(), short_name(model.model).lower())}
    close = list(
        dict.fromkeys(by_key[key] for key in get_close_matches(short_name(wanted).lower(), by_key, n=5, cutoff=0.5))
    )
    if close:
        raise UserError(f"No results of a model '{name}': did you mean {' or '.join(close)}?")
    listed = ", ".join(dict.fromkeys(model.model for model in summaries))
    raise UserError(f"No results of a model '{name}': the database has {listed}.")
