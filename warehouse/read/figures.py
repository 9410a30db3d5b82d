"""Where a figure of a width's cost came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warehouse.errors import UserError
from warehouse.read.runs import find_models
from warehouse.store import answers, db

QUANTITIES = (
    "time_to_first_token", "time_per_output_token", "time_to_last_token", "throughput", "peak_memory", "weights",
    "load_time", "joules_per_token", "joules_per_token_raw", "energy_kwh", "ttlt", "new_tokens", "clock", "temperature",
)  # fmt: skip
"""What profiles and imports measure beside scores."""


@dataclass(frozen=True, slots=True)
class FigureOrigin:
    """A row of `why_figures`: the mean of its rounds in `unit`, and who measured it, when, on what and by what."""

    model: str
    method: str
    repair: str
    level: str
    pruning_pct: float
    width: str | None
    padded_size: int | None
    workload: str
    batch_size: int | None
    engine: str | None
    mode: str | None
    phase: str | None
    quantity: str
    unit: str
    mean: float | None
    half_width: float | None
    drift_pct: float | None
    rounds: int
    limit_share: float | None
    limited_by: str | None
    source: str | None
    note: str | None
    device: str | None
    run_id: str
    recorded_at: datetime


def figure_origins(path: Path, model: str, level: str, quantity: str, *, wait: float = 2.0) -> list[FigureOrigin]:
    """Raises:
    UserError: there is no such model, or nobody measured this of the level; or as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        ids = [one.model_id for one in find_models(con, model)]
        asked = {"model_ids": ids, "quantity": quantity, "level": level.strip().removesuffix("%").strip()}
        found = answers.read(con, "why_figures", FigureOrigin, asked)
    if not found:
        raise UserError(f"Nobody measured the {quantity} of {model} at {level}: `profile` measures what levels cost.")
    return found
