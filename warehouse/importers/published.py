"""The published study's figures, from the tidy files that ship in `warehouse/data` (its README names the source)."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from warehouse.importers import batch
from warehouse.importers.batch import ImportedRun, ImportReport
from warehouse.records.facts import MetricFacts
from warehouse.records.measurements import MachineFacts
from warehouse.records.names import short_name
from warehouse.records.sizes import expansion_ratio
from warehouse.store import db as database

SOURCE = (
    "Pere Martra, Fragile Knowledge, Robust Instruction-Following: The Width Pruning Dichotomy in Llama-3.2, "
    "arXiv 2512.22671; github.com/peremartra/llama-glu-expansion-pruning, MIT licence, © 2025 Pere Martra"
)


MEASURED = ("workload", "batch_size", "quantity", "unit", "mean", "std", "min", "max", "n", "note")
"""The columns of published_measurements.csv beside model and level: what the study has of a measurement."""


def import_published(db: Path, *, wait: float = 2.0) -> ImportReport:
    """Bring the study's scores, sizes, speed and energy in.

    Raises:
        UserError, DatabaseBusyError: as `db.open_write`.
    """
    runs = _runs()
    with database.open_write(db, wait=wait) as con:
        return batch.store(con, runs)


def conditions(device: str | None) -> str:
    """What the study's scores have in common; dtype and versions are not published."""
    return "all documents" if device is None else f"all documents, {device}"


@cache
def sizes() -> dict[str, dict[float, dict[str, int]]]:
    """Exact shapes of the study's models: name, pruning percentage, then hidden_size, intermediate_size, …"""
    of_models: dict[str, dict[float, dict[str, int]]] = defaultdict(dict)
    for row in _read("sizes"):
        model, pct = row.pop("model"), float(row.pop("pruning_pct"))
        of_models[model][pct] = {name: int(value) for name, value in row.items()}
    return dict(of_models)


def hub_name(model: str) -> str:
    """The name on the hub of a model of the study that some of its files name by its last part."""
    return {short_name(name): name for name in sizes()}.get(model, model)


def add_shapes(run: ImportedRun, model: str, method: str, levels: Iterable[float]) -> None:
    """The model and its widths, with exact sizes where the study gives them."""
    shapes = sizes().get(model, {})
    full = shapes.get(0.0, {})
    run.add_model(model, source=model, model_type="llama" if shapes else None, **full)
    for pct in sorted(levels):
        size = shapes.get(pct, {})
        width, hidden = size.get("intermediate_size"), size.get("hidden_size")
        run.add_level(
            f"{pct:g}",
            pruning_pct=pct,
            method=method,
            intermediate_size=width,
            padded_size=width,
            parameters=size.get("parameters"),
            expansion_ratio=expansion_ratio(width, hidden),
        )


def _runs() -> list[ImportedRun]:
    scores, measurements = _by_model("scores"), _by_model("measurements")
    runs = []
    for evaluation in _read("evaluations"):
        model, kind, method = evaluation["model"], evaluation["kind"], evaluation["method"]
        rows = (scores if kind == "scores" else measurements)[model]
        digest = sha256(repr((evaluation, rows, sizes()[model])).encode()).hexdigest()[:8]
        run = ImportedRun(
            run_id=f"published-{short_name(model).lower()}-{kind}-{digest}",
            name=f"published {kind} of {short_name(model)}",
            origin="published",
            source=SOURCE,
            recorded_at=datetime.fromisoformat(evaluation["evaluated_at"]).replace(tzinfo=UTC).timestamp(),
            method=method,
            conditions=conditions(evaluation["device"]),
        )
        add_shapes(run, model, method, {float(row["pruning_pct"]) for row in rows})
        (_add_scores if kind == "scores" else _add_measurements)(run, rows)
        if kind != "scores" and evaluation["device"]:
            run.add("machine", **machine(evaluation["device"]))
        runs.append(run)
    return runs


def machine(device: str) -> dict[str, Any]:
    """The study's machine, as an event: of its limits nothing is published."""
    unknown = dict.fromkeys(MachineFacts.__dataclass_fields__)
    return unknown | {"device": device, "rates_missing": "the study measured none"}


def _add_scores(run: ImportedRun, rows: list[dict[str, str]]) -> None:
    cells: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        cells[row["pruning_pct"], row["task"], row["num_fewshot"]].append(
            dict.fromkeys(MetricFacts.__dataclass_fields__)
            | {name: row[name] for name in ("metric", "filter")}
            | {"value": float(row["value"]), "stderr": _number(row["stderr"])}
            | {"higher_is_better": row["higher_is_better"] == "true"}
        )
    for (level, task, num_fewshot), metrics in cells.items():
        run.add_cell(level=level, task=task, num_fewshot=int(num_fewshot), metrics=metrics)


def _add_measurements(run: ImportedRun, rows: list[dict[str, str]]) -> None:
    by_level: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        texts: dict[str, str | None] = {name: row[name] for name in ("workload", "quantity", "unit")}
        texts["note"] = row["note"] or None
        numbers = {name: _number(row[name]) for name in MEASURED if name not in texts}
        by_level[row["pruning_pct"]].append(texts | numbers)
    for level, measurements in by_level.items():
        run.add("measured", level=level, measurements=measurements)


def _by_model(name: str) -> dict[str, list[dict[str, str]]]:
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _read(name):
        rows[row["model"]].append(row)
    return rows


def _read(name: str) -> list[dict[str, str]]:
    text = files("warehouse").joinpath("data", f"published_{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def _number(text: str) -> float | None:
    return float(text) if text else None
