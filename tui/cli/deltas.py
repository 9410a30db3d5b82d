"""A delta table on a terminal: benchmarks down, levels across, each change below its value."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table
from rich.text import Text

from warehouse.numbers import format_change, format_value
from warehouse.read.deltas import DeltaTable
from warehouse.read.grid import Benchmark, Cell, Width
from warehouse.text import one_line

# Told apart by the colour-blind, too.
_BETTER, _WORSE = "bold dodger_blue1", "dark_orange"
_CELL = 8  # characters of a level's column, its padding included
_NAME = 22  # of the benchmark's name, at most: the study's seven levels fit into 80 columns


def print_tables(console: Console, tables: list[DeltaTable]) -> None:
    for table in tables:
        console.print(Text(f"{one_line(table.model)}, pruned with {one_line(table.pruned_with).upper()}", style="bold"))
        if table.conditions:
            console.print(Text(one_line(table.conditions), style="dim"))
        if table.calibration:
            console.print(Text(f"calibrated on {one_line(table.calibration)}", style="dim"))
        for widths in _fitting(table.grid.columns, console.width, _name_width(table)):
            console.print(_grid(table, widths))
        at_chance = any(map(_at_chance, table.grid.cells.values()))
        console.print(
            Text.assemble(
                "Below each score: its change against the unpruned model; ",
                ("▲ better", _BETTER),
                ", ",
                ("▼ worse", _WORSE),
                "; ○ at chance: guessing scores as much" if at_chance else "",
            )
        )
        for (pct, task), error in table.errors.items():
            console.print(Text(f"{one_line(task)} at {pct:g} %: {one_line(error)}", style="red"))


def _fitting(widths: tuple[Width, ...], room: int, names: int) -> list[tuple[Width, ...]]:
    """The widths in as many parts as the screen needs, the first of them (the unpruned one) in each."""
    size = max((room - names) // _CELL - 1, 1)
    rest = widths[1:]
    return [widths[:1] + rest[start : start + size] for start in range(0, max(len(rest), 1), size)]


def _name_width(table: DeltaTable) -> int:
    return min(max((max(len(one.name), len(one.metric)) for one in table.grid.rows), default=0), _NAME) + 1


def _grid(table: DeltaTable, widths: tuple[Width, ...]) -> Table:
    grid = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column("", width=_name_width(table) - 1, overflow="ellipsis", no_wrap=True)
    for width in widths:
        grid.add_column(_heading(width), justify="right", min_width=_CELL - 1, no_wrap=True)
    for benchmark in table.grid.rows:
        names = Text.assemble(one_line(benchmark.name), "\n", (one_line(benchmark.metric), "dim"))
        grid.add_row(names, *(_cell(table.grid.at(benchmark, width), benchmark, width) for width in widths))
    return grid


def _heading(width: Width) -> Text:
    return Text(one_line(width.label))


def _cell(cell: Cell | None, benchmark: Benchmark, width: Width) -> Text:
    if cell is None or cell.value is None:
        return Text("–", style="dim")
    value = format_value(cell.value, benchmark.kind)
    if len(value) >= _CELL and math.isfinite(cell.value):
        value = f"{cell.value:.1e}"
    if _at_chance(cell):
        value = f"○{value}"
    if width.unpruned or benchmark.kind == "damage":  # which is a change itself
        return Text(value)
    style = "" if cell.improved is None else _BETTER if cell.improved else "" if cell.delta == 0 else _WORSE
    mark = "" if not style else "▲" if cell.improved else "▼"
    return Text.assemble(value, "\n", (f"{mark}{_change(cell.delta_pct)}", style))


def _at_chance(cell: Cell) -> bool:
    from tui.results.matrix import at_chance  # with the words of the dashboard, which help needs not load

    return at_chance(cell)


def _change(delta_pct: float | None) -> str:
    """As in papers, but for what would be too long beside its mark: +124.0 % is +124%, and a perplexity that grows by
    +2691.0 % is ×28.
    """
    if delta_pct is not None and delta_pct >= 1000:
        factor = 1 + delta_pct / 100
        return f"×{factor:.0f}" if factor < 10**6 else f"×{factor:.0e}"
    if delta_pct is not None and abs(delta_pct) >= 99.95:
        return f"{delta_pct:+.0f}%"
    return format_change(delta_pct)
