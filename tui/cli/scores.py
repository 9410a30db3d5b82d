"""The scores of a run against the unpruned model: as delta tables for people, as plain records for `--json`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UserError

if TYPE_CHECKING:
    from warehouse.read.deltas import DeltaTable
    from warehouse.read.grid import Entry
    from warehouse.read.runs import RunSummary

_OF_ENTRY = (
    "level", "pruning_pct", "intermediate_size", "parameters", "task", "benchmark", "num_fewshot", "version", "metric",
    "filter", "value", "n", "higher_is_better", "baseline", "delta", "delta_pct", "delta_stderr", "ci_low_pct",
    "ci_high_pct", "p_holm", "improved", "verdict",
)  # fmt: skip


def scores_of(db: Path, run_id: str) -> tuple[list[DeltaTable], list[dict[str, Any]]]:
    """The delta tables that a run has a part in, and the headline metrics that it measured itself; none where the
    database has no score of it.

    Raises:
        UserError: as `db.open_read`.
    """
    from warehouse.read.deltas import read_deltas
    from warehouse.read.runs import list_runs

    run = next((one for one in list_runs(db) if one.run_id == run_id), None)
    if run is None or run.model_id is None or not run.cells_done:
        return [], []
    deltas = read_deltas(db, model=run.model_id)
    # The unpruned width stands under each method: a table is the run's where a pruned one is, or where none is at all.
    tables = [table for table in deltas.tables if run_id in table.run_ids and _is_of(table, run)]
    found = {_place(entry): entry for entry in deltas.entries if entry.cell.run_id == run_id}
    return tables, [_record(entry) for entry in found.values()]


def scores_or_why(db: Path, run_id: str) -> tuple[list[DeltaTable], list[dict[str, Any]], UserError | None]:
    """The same, and why there are none, where they cannot be had: a run is not told less of for it."""
    if not db.exists():
        return [], [], None
    try:
        return *scores_of(db, run_id), None
    except UserError as error:
        return [], [], error


def method_tests_of(db: Path, run_ids: Collection[str]) -> list[dict[str, Any]]:
    """How the methods and repairs of these runs differ from each other, model by model.

    Raises:
        UserError: as `db.open_read`.
    """
    from warehouse.read.method_tests import read_method_tests
    from warehouse.read.runs import list_runs
    from warehouse.store import db as store

    runs = [one for one in list_runs(db) if one.run_id in run_ids and one.model_id is not None]
    ways = {(one.model_id, one.method, one.repair or "none") for one in runs}
    with store.open_read(db, wait=2.0) as con:
        tests = read_method_tests(con, sorted({one.model_id for one in runs if one.model_id is not None}))
    return [
        asdict(test)
        for test in tests
        if (test.model_id, test.first_method, test.first_repair) in ways
        and (test.model_id, test.second_method, test.second_repair) in ways
    ]


def _is_of(table: DeltaTable, run: RunSummary) -> bool:
    return run.method is None or (table.method, table.repair) == (run.method, run.repair or "none")


def _place(entry: Entry) -> tuple[Any, ...]:
    """The unpruned number stands under each method: any of them is the same."""
    width, benchmark = entry.width, entry.benchmark
    pruned_with = None if width.unpruned else (width.method, width.repair)
    return pruned_with, width.level, benchmark, entry.cell.metric, entry.cell.filter


def _record(entry: Entry) -> dict[str, Any]:
    facts = entry.facts()
    width = entry.width
    how = {"method": None, "repair": None} if width.unpruned else {"method": width.method, "repair": width.repair}
    return how | {name: facts[name] for name in _OF_ENTRY}
