"""Where a figure of a width's cost came from, and whether its run's journal still says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warehouse.errors import UserError
from warehouse.read.runs import find_models
from warehouse.read.trace import Check
from warehouse.records.events import Measured
from warehouse.records.measurements import MeasurementFacts
from warehouse.stats.aggregates import agree
from warehouse.store import answers, db, journal

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


def check_figures(origins: Sequence[FigureOrigin], runs_root: Path) -> list[Check]:
    """Whether the journals give each figure again: the mean of its rounds, of each the last.

    Raises:
        JournalError: a journal is damaged.
    """
    measured: dict[str, list[tuple[str, MeasurementFacts]] | None] = {}
    for run_id in {one.run_id for one in origins}:
        measured[run_id] = _measured(runs_root / run_id / "journal.jsonl")
    return [_check(one, measured[one.run_id], runs_root / one.run_id / "journal.jsonl") for one in origins]


def _measured(path: Path) -> list[tuple[str, MeasurementFacts]] | None:
    """With their levels; None where there is no journal."""
    try:
        events, _ = journal.read(path)
    except FileNotFoundError:
        return None
    kept = [event.data for event in events if isinstance(event.data, Measured)]
    return [(one.level, row) for one in kept for row in one.measurements]


def _check(one: FigureOrigin, measured: list[tuple[str, MeasurementFacts]] | None, path: Path) -> Check:
    if measured is None:
        return Check("journal", None, f"there is no {path} here: it was imported, or its run is elsewhere")
    names = ("workload", "batch_size", "engine", "mode", "width", "phase", "quantity")
    rounds = {
        row.round: row
        for level, row in measured
        if level == one.level and all(getattr(row, name) == getattr(one, name) for name in names)
    }
    if not rounds:
        return Check("journal", False, f"{path} has nothing of it any more")
    means = [row.mean for row in rounds.values() if row.mean is not None]
    halves = [row.half_width for row in rounds.values() if row.mean is not None and row.half_width is not None]
    mean = sum(means) / len(means) if means else None
    if not _same(mean, one.mean):
        return Check("journal", False, f"its rounds there give {mean}, the database {one.mean}")
    half = sum(half**2 for half in halves) ** 0.5 / len(means) if halves and len(halves) == len(means) else None
    if half is not None and not _same(half, one.half_width):
        return Check("journal", False, f"its rounds there give ± {half}, the database {one.half_width}")
    several = len(rounds) > 1
    said = ("say" if several else "says") + " the same" if means else f"{'have' if several else 'has'} no figure either"
    count = f"{len(rounds)} rounds" if several else "one round"
    return Check("journal", True, f"its {count} there {said}")


def _same(one: float | None, other: float | None) -> bool:
    return one is other if None in (one, other) else agree(one or 0.0, other or 0.0)
