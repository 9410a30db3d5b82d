"""From a run's events to rows of the warehouse's tables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from warehouse.numbers import json_number
from warehouse.records.events import (
    Attempt,
    Crashed,
    Data,
    Event,
    Finished,
    GpuSamples,
    Log,
    Measured,
    Planned,
    Refused,
    Renamed,
    Stage,
    Stopped,
)
from warehouse.records.facts import CalibrationFacts, CellFacts, FailureFacts, ModelFacts, TaskFacts, VariantFacts
from warehouse.records.measurements import MachineFacts

Rows = dict[str, list[dict[str, Any]]]
TableRow = tuple[str, dict[str, Any]]


def model_id(model: str, weights_hash: str | None) -> str:
    """Equal for equal models in different runs."""
    return sha256(f"{model}\0{weights_hash or ''}".encode()).hexdigest()[:12]


def utc(t: float) -> datetime:
    """Unix seconds as the warehouse's timestamps: UTC without a zone."""
    return datetime.fromtimestamp(t, UTC).replace(tzinfo=None)


def is_fact(event: Event) -> bool:
    """Whether the event's content is kept in the warehouse: progress is not, nor what a newer program says."""
    return isinstance(event.data, _FACTS)


def rows(run_id: str, events: Iterable[Event]) -> Rows:
    """The rows of each table that the events stand for, in the events' order."""
    found: Rows = defaultdict(list)
    for event in events:
        common = {"run_id": run_id, "seq": event.seq, "recorded_at": utc(event.t)}
        for table, row in _rows_of(event.data, event.kind):
            found[table].append(common | row)
    return found


def note(run_id: str, event: Event, cell: CellFacts, kind: str, message: str) -> dict[str, Any]:
    """A row of `events` about a cell, where merging it has something to say."""
    common = {"run_id": run_id, "seq": event.seq, "recorded_at": utc(event.t)}
    return common | _said(kind, message, level=cell.level, task=cell.task)


_FACTS = (
    Planned, Attempt, ModelFacts, VariantFacts, CalibrationFacts, TaskFacts, Stage, CellFacts, FailureFacts,
    GpuSamples, MachineFacts, Measured, Log, Renamed, Stopped, Finished, Refused, Crashed,
)  # fmt: skip


def _rows_of(data: Data, kind: str) -> Iterable[TableRow]:
    match data:
        case Planned():
            yield "runs", _run(data)
        case Attempt():
            provenance = json.dumps(_finite(data.provenance))
            yield "attempts", _columns(data) | {"provenance": provenance}
        case ModelFacts():
            yield "models", _columns(data) | {"model_id": model_id(data.model, data.weights_hash)}
        case VariantFacts():
            yield "variants", _columns(data)
        case CalibrationFacts():
            yield "calibrations", _columns(data)
        case TaskFacts():
            yield "tasks", _columns(data)
        case Stage():
            yield "stages", _columns(data)
        case CellFacts():
            cell = _columns(data)
            of_metrics = {name: cell[name] for name in _OF_METRICS}
            del cell["metrics"]
            del cell["samples_hash"]  # the journal's own: what came into the table is counted there
            yield "cells", cell
            yield from (("metrics", of_metrics | _columns(metric)) for metric in data.metrics)
        case FailureFacts():
            yield "failures", _columns(data)
        case GpuSamples():
            yield from (("gpu_samples", {"sample": json.dumps(_finite(reading.to_dict()))}) for reading in data.samples)
        case MachineFacts():
            yield "machines", _columns(data)
        case Measured():
            yield from (("measurements", {"level": data.level} | _columns(one)) for one in data.measurements)
        case Log():
            yield "events", _said(kind, data.message, detail=data.level_name)
        case Renamed():
            yield "events", _said(kind, data.name)
        case Stopped():
            yield "events", _said(kind, data.reason)
        case Finished():
            yield "events", _said(kind, str(data.failed))
        case Refused():
            yield "events", _said(kind, data.error)
        case Crashed():
            yield "events", _said(kind, data.error, detail=data.detail)
        case _:
            pass


# What a metric's row repeats of its cell.
_OF_METRICS = ("level", "task", "part_of", "is_group", "version", "num_fewshot")


def _columns(data: Any) -> dict[str, Any]:
    """As `asdict` of a dataclass that holds no other, whose values need no copies."""
    return {field.name: getattr(data, field.name) for field in fields(data)}


def _run(data: Planned) -> dict[str, Any]:
    return (
        {"name": data.name, "origin": data.origin, "plan": json.dumps(data.plan)}
        | {name: data.plan.get(name) for name in ("method", "suite", "sweep")}
        | _columns(data.conditions)
        | {"conditions": data.label, "dtype": data.dtype}
    )


def _said(
    kind: str, message: str, *, detail: str | None = None, level: str | None = None, task: str | None = None
) -> dict[str, Any]:
    return {"kind": kind, "level": level, "task": task, "message": message, "detail": detail}


def _finite(value: Any) -> Any:
    """The same plain data with NaN and infinities by name, since a JSON column refuses them."""
    match value:
        case float():
            return json_number(value)
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value
