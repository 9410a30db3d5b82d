"""Naming one number of the warehouse: a model, a level, a task and whatever else tells it from the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from warehouse.errors import UserError
from warehouse.read.headlines import headlines
from warehouse.read.runs import ModelSummary, find_models
from warehouse.read.sources import BaselineNumber, NamedWidth, Number
from warehouse.records.level import Level
from warehouse.store import answers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuery:
    """What a person says of a number. A metric left out is the headline one; the rest may be left out if unique."""

    model: str
    level: str
    task: str
    metric: str | None = None
    filter: str | None = None
    method: str | None = None
    repair: str | None = None
    conditions: str | None = None
    shots: int | None = None
    version: str | None = None


def find(con: DuckDBPyConnection, wanted: MetricQuery) -> tuple[Number, Number | None]:
    """The current number that is meant, as `why_cells` has it, and its baseline; None if there is none or it is one.

    Raises:
        UserError: nothing fits, or several do: the sentence lists what there is to choose from.
    """
    models = find_models(con, wanted.model)
    parameters = {"model_ids": [one.model_id for one in models]}
    rows = answers.read(con, "why_cells", Number, parameters)
    model = models[0].model
    if not rows:
        raise UserError(f"There are no scores of {model} yet: its runs have finished no task.")
    fitting = at_level(rows, wanted.level, model, level_names(con, models))
    fitting = _of_task(fitting, wanted.task, f"{model} at {wanted.level}")
    fitting = _with(fitting, "method", wanted.method, "--method", same=_same_text)
    fitting = _with(fitting, "repair", wanted.repair, "--repair", same=_same_text)
    fitting = _with(fitting, "conditions", wanted.conditions, "--conditions", same=_part_of)
    fitting = _with(fitting, "num_fewshot", wanted.shots, "--shots")
    fitting = _with(fitting, "version", wanted.version, "--version-of-task")
    fitting = _by_metric(fitting, wanted.metric, wanted.filter)
    if fitting[0].unpruned and wanted.method is None and wanted.repair is None:
        fitting = _once_for_all_methods(fitting)
    for column, option in (
        ("model_id", "MODEL, which may be a model_id"),
        ("method", "--method"),
        ("repair", "--repair"),
        ("conditions", "--conditions"),
        ("num_fewshot", "--shots"),
        ("version", "--version-of-task"),
        ("level", "LEVEL, by width"),
        ("filter", "--filter"),
    ):
        choices = {_said(getattr(row, column)): row for row in fitting}
        if len(choices) > 1:
            raise UserError(
                f"{len(choices)} numbers fit, which differ in {column.replace('_', ' ')}: {', '.join(choices)}. "
                f"Choose with {option}."
            )
    return fitting[0], _baseline(con, rows, fitting[0])


def _baseline(con: DuckDBPyConnection, rows: Sequence[Number], row: Number) -> Number | None:
    """The number of the unpruned model that a pruned one is compared with: its own run's, or the current one."""
    if row.unpruned:
        return None
    same = ("model_id", "method", "repair", "conditions", "task", "num_fewshot", "version", "metric", "filter")
    of = ("model_id", "method", "repair", "run_id", "seq", "task", "metric", "filter", "pruning_pct")
    current = next(
        (one for one in rows if one.unpruned and all(getattr(one, name) == getattr(row, name) for name in same)), None
    )
    measured = answers.read(con, "why_baseline", BaselineNumber, {name: getattr(row, name) for name in of})
    return None if current is None or not measured else replace(current, **asdict(measured[0]))


class AtWidth(Protocol):
    """A row about one width of a model."""

    @property
    def model_id(self) -> str: ...

    @property
    def level(self) -> str: ...

    @property
    def pruning_pct(self) -> float: ...

    @property
    def intermediate_size(self) -> int | None: ...

    @property
    def expansion_ratio(self) -> float | None: ...


W = TypeVar("W", bound=AtWidth)


def level_names(con: DuckDBPyConnection, models: Sequence[ModelSummary]) -> Mapping[tuple[Any, ...], set[str]]:
    """Every name that a run asked for a width of these models by, by width: what `at_level` looks in."""
    names: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for row in answers.read(con, "why_levels", NamedWidth, {"model_ids": [one.model_id for one in models]}):
        names[_width(row)].add(row.level)
    return names


def _width(row: AtWidth | NamedWidth) -> tuple[Any, ...]:
    exact = row.intermediate_size
    return row.model_id, exact, None if exact is not None else row.pruning_pct


def at_level(rows: Sequence[W], level: str, model: str, names: Mapping[tuple[Any, ...], set[str]]) -> list[W]:
    """The rows of one width, by any name that a run asked for it by, or by its figures.

    Raises:
        UserError: there are none, or the level is none.
    """
    wanted = Level.parse(level)
    fits: list[Callable[[W], bool]] = [
        lambda row: row.level == str(wanted),
        lambda row: str(wanted) in names.get(_width(row), ()),
    ]
    match wanted.kind:
        case "ratio":
            fits.append(
                lambda row: row.expansion_ratio is not None and abs(row.expansion_ratio - wanted.amount) < 0.005
            )
        case "width":
            fits.append(lambda row: row.intermediate_size == wanted.amount)
        case "pct":
            fits.append(lambda row: abs(row.pruning_pct - wanted.amount) < 1e-6)
            fits.append(lambda row: round(row.pruning_pct) == wanted.amount)
    for fit in fits:
        if matches := [row for row in rows if fit(row)]:
            return matches
    levels = dict.fromkeys(row.level for row in sorted(rows, key=lambda row: row.pruning_pct))
    raise UserError(f"{model} was not measured at {level}: there is {', '.join(levels)}.")


def _of_task(rows: list[Number], task: str, where: str) -> list[Number]:
    for fit in (
        lambda row: row.task == task,
        lambda row: row.benchmark.lower() == task.lower() or row.task.lower() == task.lower(),
    ):
        if matches := [row for row in rows if fit(row)]:
            return matches
    tasks = {row.task.lower(): row.task for row in rows} | {row.benchmark.lower(): row.task for row in rows}
    close = dict.fromkeys(tasks[name] for name in get_close_matches(task.lower(), tasks, n=5, cutoff=0.5))
    names = close or dict.fromkeys(row.task for row in rows if row.part_of is None)
    raise UserError(f"{where} has no results of '{task}': there is {', '.join(names)}.")


def _by_metric(rows: list[Number], metric: str | None, by: str | None) -> list[Number]:
    if metric is not None:
        names, _, after = metric.partition(",")
        by = by or after or None
        rows = _with(rows, "metric", names, "--metric")
        rows = _with(rows, "filter", by, "--filter")
        filters = {row.filter for row in rows}
        return [row for row in rows if row.filter == "none"] if "none" in filters and by is None else rows
    rows = _with(rows, "filter", by, "--filter")
    chosen = headlines().choose(rows[0].task, rows)
    assert chosen is not None
    return [row for row in rows if (row.metric, row.filter) == (chosen.metric, chosen.filter)]


def _with(
    rows: list[Number], column: str, wanted: Any, option: str, *, same: Callable[[Any, Any], bool] | None = None
) -> list[Number]:
    if wanted is None:
        return rows
    for fit in (lambda value: value == wanted, lambda value: same is not None and same(value, wanted)):
        if matches := [row for row in rows if fit(getattr(row, column))]:
            return matches
    values = dict.fromkeys(_said(getattr(row, column)) for row in rows)
    raise UserError(f"Nothing was measured with {option} {wanted}: there is {', '.join(values)}.")


def _once_for_all_methods(rows: list[Number]) -> list[Number]:
    """The unpruned number stands under each method: any of them is the same event."""
    return list({(row.run_id, row.seq, row.metric, row.filter): row for row in reversed(rows)}.values())


def _same_text(value: Any, wanted: Any) -> bool:
    return str(value).lower() == str(wanted).lower()


def _part_of(value: Any, wanted: Any) -> bool:
    return value is not None and str(wanted).lower() in str(value).lower()


def _said(value: Any) -> str:
    return "not known" if value is None else str(value)
