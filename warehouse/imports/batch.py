"""An import as the events that a run of ours would have written, so that one way into the warehouse serves both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from warehouse import merge, pairing
from warehouse.records.conditions import Conditions
from warehouse.records.events import Event, parse_data
from warehouse.records.facts import MetricFacts


@dataclass(slots=True)
class ImportedRun:
    """One run to import. `recorded_at` (Unix seconds) is when its figures were measured, as far as is known."""

    run_id: str
    name: str
    origin: str
    source: str
    recorded_at: float
    method: str | None = None
    conditions: Conditions | str | None = None
    folder: Path = Path()
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = {"name": self.name, "method": self.method, "source": self.source}
        told = self.conditions.to_dict() if isinstance(self.conditions, Conditions) else self.conditions
        self.add("plan", plan=plan, conditions=told, origin=self.origin)

    def add(self, kind: str, **fields: Any) -> None:
        """Raises:
        ValueError: the event says what cannot be, such as a share of neurons above 100 %.
        """
        self.events.append(Event(len(self.events), self.recorded_at, parse_data(kind, fields)))

    def add_cell(self, *, level: str, task: str, metrics: list[dict[str, Any]], **fields: Any) -> None:
        """One finished cell; what `fields` does not say of it is not known."""
        unknown = {"part_of": None, "is_group": False, "version": None, "num_fewshot": None, "seconds": None}
        of_metric = dict.fromkeys(MetricFacts.__dataclass_fields__)
        told = [of_metric | metric for metric in metrics]
        self.add("cell", **unknown | {"level": level, "task": task, "metrics": told} | fields)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Run ids by what happened: new ones, ones that were there already; and files that are no results."""

    imported: tuple[str, ...]
    known: tuple[str, ...]
    skipped: tuple[Path, ...] = ()

    def __str__(self) -> str:
        told = {
            "Imported": self.imported,
            "Already there": self.known,
            "Not results": [str(path) for path in self.skipped],
        }
        return "\n".join(f"{what}: {', '.join(names)}" for what, names in told.items() if names)


def store(con: duckdb.DuckDBPyConnection, runs: Iterable[ImportedRun], skipped: Iterable[Path] = ()) -> ImportReport:
    """Merge the runs."""
    stored = {run.run_id: merge.store(con, run.run_id, run.events, end=0, folder=run.folder) for run in runs}
    pairing.refresh(con)
    return ImportReport(
        imported=tuple(run_id for run_id, count in stored.items() if count),
        known=tuple(run_id for run_id, count in stored.items() if not count),
        skipped=tuple(skipped),
    )
