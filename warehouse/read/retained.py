"""What pruned models keep of their scores, held against what they have to keep: a gate for whoever ships one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.errors import UserError
from warehouse.read.metric_lookup import at_level, level_names
from warehouse.read.runs import find_models, models
from warehouse.store import answers, db

Width = tuple[str, str, str, str | None, float, int | None]
"""Model, method, repair and conditions, and which of their widths."""


@dataclass(frozen=True, slots=True)
class Share:
    """A row of `retained_shares`: what is left of one benchmark. `share` is null where nothing can be told."""

    model_id: str
    model: str
    method: str
    repair: str
    conditions: str | None
    level: str
    pruning_pct: float
    intermediate_size: int | None
    expansion_ratio: float | None
    task: str
    benchmark: str
    compared: bool
    share: float | None


@dataclass(frozen=True, slots=True)
class Retained:
    """One pruned width of a model. `retained` is the mean of its benchmarks' shares, as `retained_pct` of level_scores
    has it in percent; None where no benchmark has one.

    `missing` are benchmarks that other levels of the model have, `left_out` those of which there is no share to take.
    """

    model: str
    method: str
    repair: str
    conditions: str | None
    level: str
    pruning_pct: float
    retained: float | None
    shares: dict[str, float]
    missing: tuple[str, ...]
    left_out: tuple[str, ...]

    def below(self, least: float) -> dict[str, float]:
        """The benchmarks that keep less."""
        return {name: share for name, share in self.shares.items() if share < least}

    def keeps(self, least: float, *, each: bool = False) -> bool:
        """Whether it keeps that much, on the mean or in each benchmark. What was not measured was not kept."""
        if self.missing or self.retained is None:
            return False
        return not self.below(least) if each else self.retained >= least


def retained(
    path: Path,
    *,
    model: str | None = None,
    level: str | None = None,
    method: str | None = None,
    tasks: Sequence[str] = (),
    wait: float = 2.0,
) -> list[Retained]:
    """What each pruned level keeps: of all models or of one, at all levels or at one, over all benchmarks or `tasks`.

    Raises:
        UserError: no such model, level, method or task, or nothing that could be compared; or as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        named = None if model is None else find_models(con, model)
        ids = None if named is None else [one.model_id for one in named]
        rows = answers.read(con, "retained_shares", Share, {"model_ids": ids})
        whose = named or models(con)
        names = level_names(con, whose)
    of_whom = "The database" if named is None else named[0].model
    if not any(row.compared for row in rows):
        raise UserError(
            f"{of_whom} has no pruned level that can be compared: measure level 0 and another one under the same "
            "conditions."
        )
    rows = _of_tasks(_with_method(rows, method), tasks)
    wanted = set(map(_width, rows))
    if level is not None:
        of_models = [(one.model, [row for row in rows if row.model_id == one.model_id]) for one in whose]
        wanted = {width for name, of_model in of_models for width in _at(of_model, level, name, names)}
    return [_retained(rows, width) for width in dict.fromkeys(map(_width, rows)) if width in wanted]


def _at(rows: list[Share], level: str, model: str, names: Mapping[tuple[Any, ...], set[str]]) -> Iterator[Width]:
    """The widths of a model at a level, which may have another name under each method and set of conditions."""
    if not rows:
        return
    at_level(rows, level, model, names)  # complains where there is none at all
    for subject in {_width(row)[:4] for row in rows}:
        with suppress(UserError):
            yield from map(_width, at_level([row for row in rows if _width(row)[:4] == subject], level, model, names))


def _with_method(rows: list[Share], method: str | None) -> list[Share]:
    if method is None:
        return rows
    methods = dict.fromkeys(row.method for row in rows)
    if method.lower() not in methods:
        raise UserError(f"Nothing was pruned with '{method}': there is {', '.join(methods)}.")
    return [row for row in rows if row.method == method.lower()]


def _of_tasks(rows: list[Share], tasks: Sequence[str]) -> list[Share]:
    if not tasks:
        return rows
    known = {name.lower(): row.task for row in rows for name in (row.benchmark, row.task)}
    for task in tasks:
        if task.lower() not in known:
            listed = ", ".join(dict.fromkeys(row.task for row in rows))
            raise UserError(f"There are no results of '{task}' at a pruned level: there is {listed}.")
    wanted = {known[task.lower()] for task in tasks}
    return [row for row in rows if row.task in wanted]


def _width(row: Share) -> Width:
    return row.model_id, row.method, row.repair, row.conditions, row.pruning_pct, row.intermediate_size


def _retained(rows: Sequence[Share], width: Width) -> Retained:
    of_subject = dict.fromkeys(row.benchmark for row in rows if _width(row)[:4] == width[:4])
    here = [row for row in rows if _width(row) == width]
    shares = {row.benchmark: row.share for row in here if row.share is not None}
    one, measured = here[0], {row.benchmark for row in here}
    return Retained(
        model=one.model,
        method=one.method,
        repair=one.repair,
        conditions=one.conditions,
        level=one.level,
        pruning_pct=one.pruning_pct,
        retained=sum(shares.values()) / len(shares) if shares else None,
        shares=shares,
        missing=tuple(name for name in of_subject if name not in measured),
        left_out=tuple(row.benchmark for row in here if row.share is None),
    )
