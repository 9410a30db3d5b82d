"""The delta table of a model: its scores at each width, and what changed against the unpruned one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from warehouse.errors import UserError
from warehouse.read.runs import find_models
from warehouse.store import db, statements
from warehouse.text import model_name


@dataclass(frozen=True, slots=True)
class Column:
    """One benchmark, and the metric it is shown by."""

    task: str
    metric: str
    filter: str
    num_fewshot: int | None
    version: str | None
    benchmark: str
    kind: str


@dataclass(frozen=True, slots=True)
class Width:
    """One row of a delta table."""

    pruning_pct: float
    level: str
    intermediate_size: int | None
    unpruned: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A score and its change; None is what is not known.

    `stderr` is of the delta, `ci_low_pct` and `ci_high_pct` are its 95 % interval in percent of the baseline, and
    `verdict` is gain, loss or noise, by the test that `p_kind` names. `unpaired_because` says why that test does not
    compare the documents.
    """

    value: float
    delta: float | None
    delta_pct: float | None
    improved: bool | None
    stderr: float | None
    ci_low_pct: float | None = None
    ci_high_pct: float | None = None
    p_kind: str | None = None
    verdict: str | None = None
    unpaired_because: str | None = None


@dataclass(frozen=True, slots=True)
class DeltaTable:
    """A model's scores under one method and one set of conditions; `errors` says why a cell is missing, if known.

    `footnotes` say what was taken to be equal to other runs' without being known, or is known to differ.
    """

    model: str
    method: str
    conditions: str | None
    run_ids: tuple[str, ...]
    columns: tuple[Column, ...]
    widths: tuple[Width, ...]
    cells: dict[tuple[Width, Column], Cell]
    errors: dict[tuple[float, str], str] = field(default_factory=dict)
    footnotes: tuple[str, ...] = ()

    def missing(self) -> list[tuple[Width, Column]]:
        return [(w, c) for w in self.widths for c in self.columns if (w, c) not in self.cells]


@dataclass(frozen=True, slots=True)
class Deltas:
    """What was asked for: in long form as the `delta_statistics` view has it, unpruned widths added, and as tables."""

    model: str
    rows: list[dict[str, Any]]
    tables: list[DeltaTable]


def read_deltas(
    path: Path,
    *,
    model: str,
    method: str | None = None,
    tasks: Collection[str] = (),
    metrics: Collection[str] = (),
    wait: float = 2.0,
) -> Deltas:
    """A model's headline metrics and their deltas; `tasks` and `metrics` choose others by lm-eval's names.

    Raises:
        UserError: no such model, method, task or metric; or as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        found = find_models(con, model)
        asked = {"model_ids": [one.model_id for one in found]}
        cursor = con.execute(statements.query("delta_rows"), asked)
        names = [column[0] for column in cursor.description or ()]
        everything = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for row in everything:
            row["model"] = model_name(row["model"])
        planned = con.execute(statements.query("planned_widths"), asked).fetchall()
        failures = con.execute(statements.query("open_failures"), asked).fetchall()
    if not everything:
        raise UserError(f"There are no scores of {found[0].model} yet: its runs have finished no task.")
    rows = _choose(everything, found[0].model, method, tasks, metrics)
    tables = [_table(group, planned, failures) for group in _grouped(rows)]
    return Deltas(found[0].model, rows, tables)


def _choose(
    rows: list[dict[str, Any]],
    model: str,
    method: str | None,
    tasks: Collection[str],
    metrics: Collection[str],
) -> list[dict[str, Any]]:
    if method is not None:
        rows = _where(rows, "method", [method.lower()], f"{model} was not pruned with")
    if tasks:
        rows = _where(rows, "task", tasks, f"{model} has no results of")
    if metrics:
        return _where(rows, "metric", metrics, f"{model} has no metric")
    # A part of a group has no headline of its own; whoever names it gets all its metrics.
    with_headline = {row["task"] for row in rows if row["is_headline"]}
    return [row for row in rows if row["is_headline"] or (tasks and row["task"] not in with_headline)]


def _where(rows: list[dict[str, Any]], key: str, wanted: Collection[str], complaint: str) -> list[dict[str, Any]]:
    known = sorted({row[key] for row in rows})
    for name in wanted:
        if name not in known:
            close = get_close_matches(name, known, n=5, cutoff=0.5) or known[:10]
            raise UserError(f"{complaint} '{name}': there is {', '.join(close) or 'none'}.")
    return [row for row in rows if row[key] in wanted]


def _grouped(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["model_id"], row["method"], row["conditions"]), []).append(row)
    return list(groups.values())


def _table(rows: list[dict[str, Any]], planned: Sequence[tuple], failures: Sequence[tuple]) -> DeltaTable:
    model_id, method, conditions = (rows[0][name] for name in ("model_id", "method", "conditions"))
    widths: dict[tuple[Any, ...], Width] = {}
    columns: dict[Column, int] = {}
    cells: dict[tuple[Width, Column], Cell] = {}
    for row in rows:
        width = Width(row["pruning_pct"], row["level"], row["intermediate_size"], row["unpruned"])
        widths.setdefault(_key(width), width)
        column = Column(**{name: row[name] for name in Column.__dataclass_fields__})
        columns.setdefault(column, row["position"])
        cells[width, column] = Cell(**{name: row[name] for name in Cell.__dataclass_fields__})
    for *of, by, level, pct, size, unpruned in planned:
        if of == [model_id, conditions] and (unpruned or by == method):
            width = Width(pct, level, size, unpruned)
            widths.setdefault(_key(width), width)
    return DeltaTable(
        model=rows[0]["model"],
        method=method,
        conditions=conditions,
        run_ids=tuple(sorted({row["run_id"] for row in rows})),
        columns=tuple(sorted(columns, key=lambda c: (columns[c], c.task, c.num_fewshot or 0))),
        widths=tuple(
            sorted(widths.values(), key=lambda w: (not w.unpruned, w.pruning_pct, -(w.intermediate_size or 0)))
        ),
        cells=cells,
        errors={(pct, task): error for *of, pct, task, error in failures if of == [model_id, conditions, method]},
        footnotes=tuple(dict.fromkeys(note for row in rows if row["footnote"] for note in row["footnote"].split("; "))),
    )


def _key(width: Width) -> tuple[Any, ...]:
    if width.intermediate_size is None:
        return (width.unpruned, None, width.pruning_pct)
    return (width.unpruned, width.intermediate_size, None)
