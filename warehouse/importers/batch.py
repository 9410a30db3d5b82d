"""An import as the events that a run of ours would have written, so that one way into the warehouse serves both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from warehouse.importers.replaced import Replaced, WouldReplaceError, watching
from warehouse.merging import merge
from warehouse.records.conditions import Conditions
from warehouse.records.events import Event, of_kind, parse_data
from warehouse.records.facts import CellFacts, MetricFacts, ModelFacts, TaskFacts, VariantFacts
from warehouse.redaction import redacted
from warehouse.stats import pairing
from warehouse.store import statements
from warehouse.store.transaction import transaction


@dataclass(slots=True)
class ImportedRun:
    """One run to import. `recorded_at` (Unix seconds) is when its figures were measured, as far as is known.

    `conditions` is a sentence where that is all there is; `about` says what was measured, `note` is a sentence on what
    was taken for granted. `metrics` and `samples` count what lm-eval wrote: numbers, and documents' answers by filter.
    """

    run_id: str
    name: str
    origin: str
    source: str
    recorded_at: float
    method: str | None = None
    conditions: Conditions | str | None = None
    folder: Path = Path()
    reader: int = 1
    about: str = ""
    file: Path | None = None
    note: str | None = None
    events: list[Event] = field(default_factory=list)
    metrics: int = 0
    samples: int = 0

    def __post_init__(self) -> None:
        plan = {"name": self.name, "method": self.method, "source": self.source, "reader": self.reader}
        told, dtype = self.conditions, None
        if isinstance(told, Conditions):
            told, dtype = told.to_dict(), told.dtype
        self.add("plan", plan=plan, conditions=told, dtype=dtype, origin=self.origin)

    def add(self, kind: str, **fields: Any) -> None:
        """Secrets in its texts are hidden.

        Raises:
            ValueError: the event says what cannot be, such as a share of neurons above 100 %.
        """
        self.events.append(Event(len(self.events), self.recorded_at, parse_data(kind, redacted(fields))))

    def add_model(self, model: str, **fields: Any) -> None:
        """The unpruned model; what `fields` (of `ModelFacts`) does not say of it is not known."""
        self.add("model", **dict.fromkeys(ModelFacts.__dataclass_fields__) | {"model": model} | fields)

    def add_level(self, level: str, *, pruning_pct: float, method: str, **fields: Any) -> None:
        """One of its levels, or the unpruned one; what `fields` (of `VariantFacts`) does not say of it is not known."""
        told = {"level": level, "pruning_pct": pruning_pct, "method": method, "repair": "none"}
        self.add("variant", **dict.fromkeys(VariantFacts.__dataclass_fields__) | told | fields)

    def add_cell(self, *, level: str, task: str, metrics: list[dict[str, Any]], **fields: Any) -> None:
        """One finished cell; what `fields` does not say of it is not known."""
        unknown = {"part_of": None, "is_group": False, "version": None, "num_fewshot": None, "seconds": None}
        of_metric = dict.fromkeys(MetricFacts.__dataclass_fields__)
        told = [of_metric | metric for metric in metrics]
        self.add("cell", **unknown | {"level": level, "task": task, "metrics": told} | fields)
        self.metrics += len(metrics)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one run: how many of its numbers and samples are new in the database."""

    run_id: str
    file: str | None
    about: str
    metrics: int
    samples: int
    known: bool


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Run ids by what happened: new ones, ones that were there already; and files that are no results, with the reason.

    `notes` are sentences on what was taken for granted, `replaced` the numbers that gave way to newer ones.
    """

    imported: tuple[str, ...]
    known: tuple[str, ...]
    skipped: tuple[tuple[Path, str], ...] = ()
    stored: tuple[Stored, ...] = ()
    replaced: tuple[Replaced, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = {
            "Imported": self.imported,
            "Already there": self.known,
            "Not results": [str(path) for path, _ in self.skipped],
        }
        return "\n".join(f"{what}: {', '.join(names)}" for what, names in told.items() if names)


def store(con: duckdb.DuckDBPyConnection, runs: Sequence[ImportedRun], *, replace_values: bool = True) -> ImportReport:
    """Merge the runs: all of them, or none.

    Raises:
        WouldReplaceError: numbers would give way to others, and `replace_values` does not allow it.
    """
    stored: list[Stored] = []
    with transaction(con), watching(con, [run.run_id for run in runs], _models(runs)) as replaced:
        appended: list[merge.Appended] = []
        for run in runs:
            events = _new(con, run)
            if events and (new := merge.append(con, run.run_id, events, folder=run.folder)) is not None:
                appended.append(new)
            cells = of_kind(events, CellFacts)
            metrics = sum(len(cell.metrics) for cell in cells)
            samples = run.samples if any(cell.samples for cell in cells) else 0
            file = None if run.file is None else str(run.file)
            stored.append(Stored(run.run_id, file, run.about, metrics, samples, known=not events))
        merge.settle(con, appended)
        if (lost := replaced()) and not replace_values:
            raise WouldReplaceError(lost)
    pairing.refresh(con)
    return ImportReport(
        imported=tuple(one.run_id for one in stored if not one.known),
        known=tuple(one.run_id for one in stored if one.known),
        stored=tuple(stored),
        replaced=lost,
        notes=tuple(run.note for run, one in zip(runs, stored, strict=True) if run.note and not one.known),
    )


def _models(runs: Iterable[ImportedRun]) -> list[str]:
    return sorted({facts.model for run in runs for facts in of_kind(run.events, ModelFacts)})


def _new(con: duckdb.DuckDBPyConnection, run: ImportedRun) -> list[Event]:
    """The events that the database does not have, numbered on from those it has.

    All of them where an earlier version read less of the file; of the others, those that have samples which were not
    beside the file then.
    """
    last, reader, sampled = con.execute(statements.query("import_known"), {"run_id": run.run_id}).fetchall()[0]
    if last is None:
        return run.events
    if (reader or 1) < run.reader:
        new = run.events
    else:
        tasks = {cell.task for cell in of_kind(run.events, CellFacts) if cell.samples and cell.task not in sampled}
        new = [
            event for event in run.events if isinstance(event.data, CellFacts | TaskFacts) and event.data.task in tasks
        ]
    return [replace(event, seq=last + 1 + place) for place, event in enumerate(new)]
