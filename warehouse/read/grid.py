"""The one grid of benchmark × level: tables, exports, the matrix and a run at work all show it.

What stands at a benchmark and a width is a `Cell`, whoever asks; here is the order of both, and what a change is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Generic, Literal, Protocol, TypeVar

from warehouse.records.level import width_label
from warehouse.records.names import pruned_with

UNPRUNED = "unpruned"
State = Literal["done", "failed", "running", "partial", "pending"]

R = TypeVar("R")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A task, and the metric that stands for it. `kind` is score or perplexity."""

    task: str
    metric: str
    filter: str
    num_fewshot: int | None
    version: str | None
    name: str
    kind: str
    position: int | None = field(default=None, compare=False)

    @property
    def metric_name(self) -> str:
        return self.metric if self.filter == "none" else f"{self.metric}, {self.filter}"


@dataclass(frozen=True, slots=True)
class Width:
    """One width of one model under one method, repair and set of conditions.

    `base_conditions` are those of the unpruned width: without the text that neurons were looked at on, which
    `calibration` names.
    """

    model_id: str
    model: str
    method: str
    conditions: str | None
    level: str
    pruning_pct: float
    intermediate_size: int | None
    unpruned: bool
    repair: str = "none"
    expansion_ratio: float | None = field(default=None, compare=False)
    parameters: int | None = field(default=None, compare=False)
    calibration: str | None = field(default=None, compare=False)
    base_conditions: str | None = field(default=None, compare=False)

    @property
    def subject(self) -> str:
        """The model, the method, the repair and the conditions in one text, as queries name them."""
        return subject(self.model_id, self.method, self.repair, self.conditions)

    @property
    def pruned_with(self) -> str:
        return pruned_with(self.method, self.repair)

    @property
    def label(self) -> str:
        return UNPRUNED if self.unpruned else width_label(self.level, self.pruning_pct)

    @property
    def exact(self) -> tuple[object, ...]:
        """Equal for the same width, whatever level it was asked for by."""
        size = self.intermediate_size
        return self.subject, self.unpruned, size, self.pruning_pct if size is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What stands at one benchmark and width; None is what is not known, or not asked for.

    A run at work fills its grid in: `state` says how far a cell is, `share` how much of it while it runs, and of a
    group `done` and `failed` how many of `total` tasks. `metric` and `filter` are those of the score, `error` is why
    there is none.

    `stderr` is the score's, `delta_stderr` the change's. `ci_low` to `ci_high` is the change's 95 % interval, `_pct` in
    percent of the baseline; `factor` is a perplexity as a multiple of its baseline, with `log_stderr`. `verdict` is
    gain, loss or noise after Holm's correction over the benchmarks of the width, by the test that `p_kind` names;
    `table_verdict` the same over all widths. `unpaired_because` says why that test does not compare the documents.
    `agreement` is the share of documents answered alike, `chance` what guessing scores, and `retained_pct` what is left
    of the unpruned model's lead over it.
    """

    state: State = "done"
    share: float | None = None
    done: int = 0
    total: int = 1
    failed: int = 0
    seconds: float | None = None
    error: str | None = None

    metric: str | None = None
    filter: str | None = None
    value: float | None = None
    stderr: float | None = None
    n: int | None = None
    higher_is_better: bool | None = None
    is_headline: bool | None = None
    is_group: bool | None = None
    run_id: str | None = None
    seq: int | None = None
    footnote: str | None = None

    baseline: float | None = None
    baseline_stderr: float | None = None
    baseline_run_id: str | None = None
    baseline_seq: int | None = None
    baseline_level: str | None = None
    baseline_parameters: int | None = None
    delta: float | None = None
    delta_pct: float | None = None
    improved: bool | None = None

    delta_stderr: float | None = None
    stderr_kind: str | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_low_pct: float | None = None
    ci_high_pct: float | None = None
    factor: float | None = None
    factor_low: float | None = None
    factor_high: float | None = None
    log_stderr: float | None = None
    p_value: float | None = None
    p_kind: str | None = None
    p_holm: float | None = None
    verdict: str | None = None
    p_table: float | None = None
    table_verdict: str | None = None
    pairs: int | None = None
    lost: int | None = None
    gained: int | None = None
    agreement: float | None = None
    chance: float | None = None
    retained_pct: float | None = None
    unpaired_because: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell with its place: the grid in long form has one a line."""

    benchmark: Benchmark
    width: Width
    cell: Cell

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Entry:
        """From a row of a query that tells benchmark, width and score under their columns' names."""
        named = {**record, "name": record["benchmark"]}
        return cls(_part(Benchmark, named), _part(Width, named), _part(Cell, named))

    def facts(self) -> dict[str, Any]:
        """All that is said of it, under the columns' names."""
        parts = (self.cell, self.width, self.benchmark)
        facts = {name: getattr(part, name) for part in parts for name in _names(type(part))}
        return facts | {"benchmark": self.benchmark.name, "subject": self.width.subject}


@dataclass(frozen=True)  # slots do not go with a generic class that is called by an alias
class Grid(Generic[R, C]):
    """Cells by row and column; a place without one was not measured."""

    rows: tuple[R, ...] = ()
    columns: tuple[C, ...] = ()
    cells: Mapping[tuple[R, C], Cell] = field(default_factory=dict[tuple[R, C], Cell])

    def at(self, row: R, column: C) -> Cell | None:
        return self.cells.get((row, column))

    def missing(self) -> list[tuple[R, C]]:
        """Places without a cell, column by column."""
        return [(row, column) for column in self.columns for row in self.rows if (row, column) not in self.cells]


Results = Grid[Benchmark, Width]
"""The grid of what was measured."""


def results(entries: Iterable[Entry], planned: Iterable[Width] = ()) -> Results:
    """The grid of these cells; `planned` widths stand in it whether measured or not.

    Benchmarks stand in the study's order, others after them by name; widths model by model, each from the unpruned one
    down.
    """
    benchmarks: dict[Benchmark, None] = {}
    widths: dict[tuple[object, ...], Width] = {}
    cells: dict[tuple[Benchmark, Width], Cell] = {}
    for entry in entries:
        benchmarks.setdefault(entry.benchmark)
        width = widths.setdefault(entry.width.exact, entry.width)
        cells[entry.benchmark, width] = entry.cell
    for width in planned:
        widths.setdefault(width.exact, width)
    return Grid(tuple(sorted(benchmarks, key=_place)), tuple(_in_order(widths.values())), cells)


def _place(benchmark: Benchmark) -> tuple[float, str, int]:
    position = math.inf if benchmark.position is None else benchmark.position
    return position, benchmark.task, benchmark.num_fewshot or 0


def _in_order(widths: Iterable[Width]) -> list[Width]:
    known = sorted(
        widths,
        key=lambda width: (width.model, width.method, width.repair != "none", width.repair, width.conditions or ""),
    )
    subjects = {subject: index for index, subject in enumerate(dict.fromkeys(width.subject for width in known))}
    return sorted(
        known,
        key=lambda w: (subjects[w.subject], not w.unpruned, w.pruning_pct, -(w.intermediate_size or 0)),
    )


def subject(model_id: str, method: str | None, repair: str, conditions: str | None) -> str:
    """A model pruned with a method and repaired or not, under given conditions, as the query files name it."""
    return "|".join(part for part in (model_id, method, repair, conditions or "") if part is not None)


class TestedChange(Protocol):
    """What is asked of a change, whichever query tells it."""

    @property
    def delta(self) -> float | None: ...

    @property
    def improved(self) -> bool | None: ...

    @property
    def verdict(self) -> str | None: ...

    @property
    def p_value(self) -> float | None: ...


def change(value: float, baseline: float) -> tuple[float, float | None]:
    """By how much a score differs from its baseline, and in percent of it."""
    delta = value - baseline
    return delta, 100 * delta / abs(baseline) if baseline else None


def is_better(delta: float, higher_is_better: bool | None) -> bool | None:
    """None where a metric has no direction."""
    return None if higher_is_better is None else delta != 0 and (delta > 0) == higher_is_better


def _part(kind: type[R], record: Mapping[str, Any]) -> R:
    return kind(**{name: record[name] for name in _names(kind) if name in record})


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))
