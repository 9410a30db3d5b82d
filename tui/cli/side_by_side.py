"""Methods and repairs of one sweep beside each other: how much of the unpruned model each keeps, level by level."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean

from rich.console import Console
from rich.table import Table
from rich.text import Text

from warehouse.numbers import format_value
from warehouse.read.deltas import DeltaTable
from warehouse.read.grid import Benchmark, Width
from warehouse.text import one_line

_BARS = "▁▂▃▄▅▆▇█"


def print_side_by_side(console: Console, tables: Sequence[DeltaTable]) -> None:
    """A line for each method and repair: the mean over benchmarks of score / unpruned score with its curve, then each
    perplexity and the damage; nothing where there are fewer than two.
    """
    if len(tables) < 2:
        return
    first = tables[0].grid
    scores = [one for one in first.rows if one.kind == "score"]
    if scores:
        parts = f"mean of {len(scores)} benchmarks" if len(scores) > 1 else one_line(scores[0].name)
        title = f"Left of the unpruned score, in percent ({parts})"
        console.print(Text(title, style="bold"))
        console.print(_lines(tables, lambda table, width: _kept(table, scores, width), _percent, curve=True))
    for benchmark in first.rows:
        if benchmark.kind != "score":
            console.print(Text(f"{one_line(benchmark.name)}, {one_line(benchmark.metric)}", style="bold"))
            console.print(_lines(tables, _value_of(benchmark), _written(benchmark), curve=False))


def _lines(
    tables: Sequence[DeltaTable],
    value: Callable[[DeltaTable, Width], float | None],
    write: Callable[[float], str],
    *,
    curve: bool,
) -> Table:
    widths = tables[0].grid.columns
    grid = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column("", no_wrap=True)
    for width in widths:
        grid.add_column(one_line(width.label), justify="right", no_wrap=True)
    if curve:
        grid.add_column("")
    for table in tables:
        values = [value(table, width) for width in widths]
        texts = [Text("–", style="dim") if one is None else Text(write(one)) for one in values]
        drawn = [_curve(values)] if curve else []
        grid.add_row(one_line(table.pruned_with).upper(), *texts, *drawn)
    return grid


def _at(table: DeltaTable, benchmark: Benchmark, width: Width) -> float | None:
    """The same benchmark and width of another table: both are of one sweep."""
    own = next((one for one in table.grid.columns if one.label == width.label), None)
    row = next((one for one in table.grid.rows if (one.name, one.metric) == (benchmark.name, benchmark.metric)), None)
    cell = None if own is None or row is None else table.grid.at(row, own)
    return None if cell is None else cell.value


def _kept(table: DeltaTable, scores: Sequence[Benchmark], width: Width) -> float | None:
    unpruned = table.grid.columns[0]
    pairs = [(_at(table, one, width), _at(table, one, unpruned)) for one in scores]
    shares = [value / whole for value, whole in pairs if value is not None and whole]
    return fmean(shares) if len(shares) == len(scores) else None


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _value_of(benchmark: Benchmark) -> Callable[[DeltaTable, Width], float | None]:
    return lambda table, width: _at(table, benchmark, width)


def _written(benchmark: Benchmark) -> Callable[[float], str]:
    return lambda value: format_value(value, benchmark.kind)


def _curve(values: Sequence[float | None]) -> str:
    """Blocks from nothing to all that the unpruned model has."""
    known = [0.0 if one is None or not math.isfinite(one) else min(max(one, 0.0), 1.0) for one in values]
    return "".join(_BARS[round(one * (len(_BARS) - 1))] for one in known)
