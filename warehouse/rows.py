"""From a journal's events to rows of the warehouse's tables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from warehouse.journal import Event
from warehouse.measurements import MeasurementFacts
from warehouse.records.conditions import Conditions
from warehouse.records.facts import FailureFacts, MetricFacts, ModelFacts, TaskFacts, VariantFacts

Rows = dict[str, list[dict[str, Any]]]
TableRow = tuple[str, dict[str, Any]]
RowMaker = Callable[[dict[str, Any]], Iterable[TableRow]]


def model_id(model: str, weights_hash: str | None) -> str:
    """Equal for equal models in different runs."""
    return sha256(f"{model}\0{weights_hash or ''}".encode()).hexdigest()[:12]


def utc(t: float) -> datetime:
    """Unix seconds as the warehouse's timestamps: UTC without a zone."""
    return datetime.fromtimestamp(t, UTC).replace(tzinfo=None)


def is_fact(event: Event) -> bool:
    """Whether the event's content is kept in the warehouse: progress is not."""
    return event.kind in _ROWS


def rows(run_id: str, events: Iterable[Event]) -> Rows:
    """The rows of each table that the events stand for, in the events' order."""
    found: Rows = defaultdict(list)
    for event in events:
        common = {"run_id": run_id, "seq": event.seq, "recorded_at": utc(event.t)}
        for table, row in _ROWS[event.kind](event.data):
            found[table].append(common | row)
    return found


def note(run_id: str, event: Event, kind: str, message: str) -> dict[str, Any]:
    """A row of `events` about an event, where merging it has something to say."""
    told = _take(event.data, "level", "task")
    return (
        {"run_id": run_id, "seq": event.seq, "recorded_at": utc(event.t), "kind": kind}
        | told
        | {
            "message": message,
            "detail": None,
        }
    )


def _plan(data: dict[str, Any]) -> Iterable[TableRow]:
    plan = data["plan"]
    yield (
        "runs",
        {
            "name": plan["name"],
            "origin": data.get("origin", "run"),
            "method": plan.get("method"),
            "suite": plan.get("suite"),
            "plan": json.dumps(plan),
        }
        | _conditions(plan, data.get("conditions"), data.get("dtype")),
    )


def _conditions(plan: dict[str, Any], told: Any, dtype: str | None) -> dict[str, Any]:
    """The columns, and their English; what an old import says in words only stays in words."""
    found = Conditions.from_dict(told) if isinstance(told, dict) else Conditions.of_old_plan(plan, dtype)
    sentence = told if isinstance(told, str) and "limit" not in plan else found.label() or None
    return {field.name: getattr(found, field.name) for field in fields(Conditions)} | {"conditions": sentence}


def _attempt(data: dict[str, Any]) -> Iterable[TableRow]:
    yield (
        "attempts",
        _take(data, "attempt", "pid", "host") | {"provenance": json.dumps(_finite(data.get("provenance")))},
    )


def _model(data: dict[str, Any]) -> Iterable[TableRow]:
    yield "models", _fields(ModelFacts, data) | {"model_id": model_id(data["model"], data.get("weights_hash"))}


def _cell(data: dict[str, Any]) -> Iterable[TableRow]:
    cell = _take(data, "level", "task", "part_of", "is_group", "version", "num_fewshot")
    told = _take(data, "seconds", "samples", "questions_hash", "tokens_hash", "harness_version")
    yield "cells", cell | told
    for metric in data["metrics"]:
        yield "metrics", cell | _fields(MetricFacts, metric)


def _gpu(data: dict[str, Any]) -> Iterable[TableRow]:
    for sample in data["samples"]:
        yield "gpu_samples", {"sample": json.dumps(_finite(sample))}


def _measured(data: dict[str, Any]) -> Iterable[TableRow]:
    for measurement in data["measurements"]:
        yield "measurements", {"level": data["level"]} | _fields(MeasurementFacts, measurement)


def _stage(data: dict[str, Any]) -> Iterable[TableRow]:
    yield "stages", _take(data, "stage", "level", "seconds")


def _into(table: str, facts: type) -> RowMaker:
    return lambda data: [(table, _fields(facts, data))]


def _said(kind: str, message: str, detail: str | None = None) -> RowMaker:
    def rows_of(data: dict[str, Any]) -> Iterable[TableRow]:
        told = data.get(message)
        yield (
            "events",
            {
                "kind": kind,
                "level": data.get("level"),
                "task": data.get("task"),
                "message": None if told is None else str(told),
                "detail": data.get(detail) if detail else None,
            },
        )

    return rows_of


_ROWS: dict[str, RowMaker] = {
    "plan": _plan,
    "attempt": _attempt,
    "model": _model,
    "variant": _into("variants", VariantFacts),
    "task": _into("tasks", TaskFacts),
    "stage": _stage,
    "cell": _cell,
    "cell_failed": _into("failures", FailureFacts),
    "gpu": _gpu,
    "measured": _measured,
    "log": _said("log", "message", "level_name"),
    "stopped": _said("stopped", "reason"),
    "finished": _said("finished", "failed"),
    "refused": _said("refused", "error"),
    "crashed": _said("crashed", "error", "detail"),
}


def _fields(facts: type, data: dict[str, Any]) -> dict[str, Any]:
    """The fields of a facts dataclass: what a newer program adds to an event is not ours to keep."""
    return {field.name: data.get(field.name) for field in fields(facts)}


def _take(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: data.get(name) for name in names}


def _finite(value: Any) -> Any:
    """The same plain data with NaN and infinities as text, since a JSON column refuses them."""
    match value:
        case float() if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value
