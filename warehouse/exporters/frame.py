"""Delta tables as frames: one row for each width and metric, or one for each width."""

from __future__ import annotations

from typing import Any

import polars as pl

from warehouse.read.deltas import Deltas
from warehouse.read.grid import Benchmark, Entry

_SCHEMA = {
    "model": pl.String, "method": pl.String, "pruning_pct": pl.Float64, "task": pl.String, "metric": pl.String,
    "value": pl.Float64, "baseline": pl.Float64, "delta": pl.Float64, "delta_pct": pl.Float64, "improved": pl.Boolean,
    "stderr": pl.Float64, "repair": pl.String, "benchmark": pl.String, "filter": pl.String, "num_fewshot": pl.Int64,
    "version": pl.String, "higher_is_better": pl.Boolean, "n": pl.Int64, "level": pl.String,
    "intermediate_size": pl.Int64, "expansion_ratio": pl.Float64, "parameters": pl.Int64, "conditions": pl.String,
    "run_id": pl.String, "model_id": pl.String, "stderr_kind": pl.String, "ci_low": pl.Float64, "ci_high": pl.Float64,
    "ci_low_pct": pl.Float64, "ci_high_pct": pl.Float64, "p_value": pl.Float64, "p_kind": pl.String,
    "p_holm": pl.Float64, "verdict": pl.String, "pairs": pl.Int64, "lost": pl.Int64, "gained": pl.Int64,
    "agreement": pl.Float64, "chance": pl.Float64, "retained_pct": pl.Float64, "p_table": pl.Float64,
    "table_verdict": pl.String, "factor": pl.Float64, "factor_low": pl.Float64, "factor_high": pl.Float64,
    "footnote": pl.String, "calibration": pl.String,
}  # fmt: skip
_OF_A_WIDTH = (
    "model", "method", "conditions", "pruning_pct", "level", "intermediate_size", "expansion_ratio", "parameters",
    "model_id", "repair", "calibration",
)  # fmt: skip


def frame(deltas: Deltas, *, wide: bool = False) -> pl.DataFrame:
    """The deltas in long form, or wide, as `export_deltas` has them."""
    if wide:
        return _wide(deltas)
    rows = [[facts[name] for name in _SCHEMA] for facts in map(_facts, deltas.entries)]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row", strict=False)


def _wide(deltas: Deltas) -> pl.DataFrame:
    names = _wide_names(deltas.entries)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for entry in deltas.entries:
        facts = _facts(entry)
        of_width = {name: facts[name] for name in _OF_A_WIDTH}
        row = rows.setdefault(tuple(of_width.values()), of_width)
        name = names[entry.benchmark]
        row[name] = entry.cell.value
        row[f"{name}/delta_pct"] = entry.cell.delta_pct
    schema = {name: _SCHEMA[name] for name in _OF_A_WIDTH}
    for name in names.values():
        schema |= {name: pl.Float64, f"{name}/delta_pct": pl.Float64}
    return pl.DataFrame(list(rows.values()), schema=schema, strict=False)


def _wide_names(entries: list[Entry]) -> dict[Benchmark, str]:
    """The shortest name that tells each column from the others: task/metric, then filter, shots and version."""
    keys = {one: (one.task, one.metric, one.filter, one.num_fewshot, one.version)
            for one in dict.fromkeys(entry.benchmark for entry in entries)}  # fmt: skip
    for parts in (2, 3, 4, 5):
        names = {one: "/".join(str(part) for part in key[:parts]) for one, key in keys.items()}
        if len(set(names.values())) == len(keys):
            break
    return names


def _facts(entry: Entry) -> dict[str, Any]:
    """`stderr` is the change's: nothing else is asked of a table of changes."""
    return entry.facts() | {"stderr": entry.cell.delta_stderr}
