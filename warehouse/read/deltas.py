"""The delta table of a model: its scores at each width, and what changed against the unpruned one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from warehouse.errors import UserError
from warehouse.read.grid import Entry, Results, Width, results
from warehouse.read.method_tests import MethodTest, read_method_tests
from warehouse.read.runs import find_models
from warehouse.records.names import pruned_with, public_name
from warehouse.store import answers, db
from warehouse.store.answers import Record


@dataclass(frozen=True, slots=True)
class DeltaTable:
    """A model's scores under one method, repair and set of conditions; `errors` says why a cell is missing, if known.

    `calibration` names the text that neurons were looked at on, None where none was. `footnotes` say what was taken to
    be equal to other runs' without being known, or is known to differ.
    """

    model: str
    method: str
    repair: str
    conditions: str | None
    calibration: str | None
    run_ids: tuple[str, ...]
    grid: Results
    errors: dict[tuple[float, str], str] = field(default_factory=dict)
    footnotes: tuple[str, ...] = ()

    @property
    def pruned_with(self) -> str:
        return pruned_with(self.method, self.repair)


@dataclass(frozen=True, slots=True)
class Deltas:
    """What was asked for: in long form as the `delta_statistics` view has it, unpruned widths added, and as tables.

    `method_tests` compare methods with each other, of all metrics that are compared, where that was asked for.
    """

    model: str
    entries: list[Entry]
    tables: list[DeltaTable]
    method_tests: list[MethodTest] = field(default_factory=list[MethodTest])


@dataclass(frozen=True, slots=True)
class _Planned:
    """A width that a run set out to measure."""

    model_id: str
    conditions: str | None
    method: str
    repair: str
    level: str
    pruning_pct: float
    intermediate_size: int | None
    unpruned: bool


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a cell is missing."""

    model_id: str
    conditions: str | None
    method: str
    repair: str
    pruning_pct: float
    task: str
    error: str


def read_deltas(
    path: Path,
    *,
    model: str,
    method: str | None = None,
    repair: str | None = None,
    levels: Collection[str] = (),
    tasks: Collection[str] = (),
    metrics: Collection[str] = (),
    compare_methods: bool = False,
    wait: float = 2.0,
) -> Deltas:
    """A model's headline metrics and their deltas; `tasks` and `metrics` choose others by lm-eval's names,
    `levels` (40, w4096) some pruned widths beside the unpruned one.

    With `compare_methods` also how its methods, repairs and calibrations differ from each other.

    Raises:
        UserError: no such model, method, repair, level, task or metric; or as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        found = find_models(con, model)
        asked = {"model_ids": [one.model_id for one in found]}
        everything = [_entry(record) for record in answers.ask(con, "delta_rows", asked)]
        planned = answers.read(con, "planned_widths", _Planned, asked)
        failures = answers.read(con, "open_failures", _Failure, asked)
        tests = read_method_tests(con, asked["model_ids"]) if compare_methods else []
    if not everything:
        raise UserError(f"There are no scores of {found[0].model} yet: its runs have finished no task.")
    wanted = [level.strip().removesuffix("%") for level in levels]
    entries = _choose(everything, found[0].model, method, repair, wanted, tasks, metrics)
    planned = [one for one in planned if not wanted or one.unpruned or not _names(one).isdisjoint(wanted)]
    tables = [_table(group, planned, failures) for group in _grouped(entries)]
    return Deltas(found[0].model, entries, tables, tests)


def together(several: Sequence[Deltas]) -> Deltas:
    """Those of several models as one; of a model that is there twice once."""
    unlike = list({one.model: one for one in several}.values())
    return Deltas(
        ", ".join(one.model for one in unlike),
        [entry for one in unlike for entry in one.entries],
        [table for one in unlike for table in one.tables],
        [test for one in unlike for test in one.method_tests],
    )


def _choose(
    entries: list[Entry],
    model: str,
    method: str | None,
    repair: str | None,
    levels: Collection[str],
    tasks: Collection[str],
    metrics: Collection[str],
) -> list[Entry]:
    if method is not None:
        entries = _where(entries, lambda entry: entry.width.method, [method.lower()], f"{model} was not pruned with")
    if repair is not None:
        entries = _where(entries, lambda entry: entry.width.repair, [repair.lower()], f"{model} was not repaired with")
    if levels:
        pruned = [entry for entry in entries if not entry.width.unpruned]
        known = {name: None for entry in pruned for name in sorted(_names(entry.width))}
        if missing := [level for level in levels if level not in known]:
            raise UserError(f"{model} was not pruned at '{missing[0]}': there is {', '.join(known) or 'no level'}.")
        entries = [one for one in entries if one.width.unpruned or not _names(one.width).isdisjoint(levels)]
    if tasks:
        entries = _where(entries, lambda entry: entry.benchmark.task, tasks, f"{model} has no results of")
    if metrics:
        return _where(entries, lambda entry: entry.benchmark.metric, metrics, f"{model} has no metric")
    # A part of a group has no headline of its own; whoever names it gets all its metrics.
    with_headline = {entry.benchmark.task for entry in entries if entry.cell.is_headline}
    return [
        entry for entry in entries if entry.cell.is_headline or (tasks and entry.benchmark.task not in with_headline)
    ]


def _names(width: Width | _Planned) -> set[str]:
    """What a level may be called: as it was asked for, and by its percentage."""
    return {width.level, f"{width.pruning_pct:g}"}


def _where(entries: list[Entry], told: Callable[[Entry], str], wanted: Collection[str], complaint: str) -> list[Entry]:
    known = sorted({told(entry) for entry in entries})
    for name in wanted:
        if name not in known:
            close = get_close_matches(name, known, n=5, cutoff=0.5) or known[:10]
            raise UserError(f"{complaint} '{name}': there is {', '.join(close) or 'none'}.")
    return [entry for entry in entries if told(entry) in wanted]


def _grouped(entries: list[Entry]) -> list[list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.width.subject, []).append(entry)
    return list(groups.values())


def _table(entries: list[Entry], planned: Sequence[_Planned], failures: Sequence[_Failure]) -> DeltaTable:
    of = entries[0].width
    widths = [
        replace(of, level=one.level, pruning_pct=one.pruning_pct, intermediate_size=one.intermediate_size,
                unpruned=one.unpruned)
        for one in planned
        if one.model_id == of.model_id
        and (
            one.conditions == of.base_conditions
            if one.unpruned
            else (one.conditions, one.method, one.repair) == (of.conditions, of.method, of.repair)
        )
    ]  # fmt: skip
    notes = [note for entry in entries if entry.cell.footnote for note in entry.cell.footnote.split("; ")]
    return DeltaTable(
        model=of.model,
        method=of.method,
        repair=of.repair,
        conditions=of.conditions,
        calibration=next((entry.width.calibration for entry in entries if entry.width.calibration), None),
        run_ids=tuple(sorted({entry.cell.run_id for entry in entries if entry.cell.run_id is not None})),
        grid=results(entries, widths),
        errors={
            (one.pruning_pct, one.task): one.error
            for one in failures
            if (one.model_id, one.conditions, one.method, one.repair)
            == (of.model_id, of.base_conditions if one.pruning_pct == 0 else of.conditions, of.method, of.repair)
        },
        footnotes=tuple(dict.fromkeys(notes)),
    )


def _entry(record: Record) -> Entry:
    """The query's `stderr` is the change's, `value_stderr` the score's."""
    stderr, model = record.pop("stderr"), public_name(record["model"])
    return Entry.of({**record, "delta_stderr": stderr, "stderr": record["value_stderr"], "model": model})
