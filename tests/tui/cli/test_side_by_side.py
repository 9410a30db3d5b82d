"""Methods and repairs of one sweep, a line each: what is left of the unpruned model's scores, and its perplexities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tui.cli.side_by_side import print_side_by_side
from warehouse.read.deltas import DeltaTable, read_deltas


@pytest.fixture(scope="module")
def table(study: Path) -> DeltaTable:
    [found] = read_deltas(study, model="meta-llama/Llama-3.2-1B").tables
    return found


def shown(*tables: DeltaTable) -> list[str]:
    console = Console(width=100, markup=False, highlight=False)
    with console.capture() as capture:
        print_side_by_side(console, tables)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_each_has_a_line_with_the_mean_share_that_is_left_and_its_curve(table: DeltaTable) -> None:
    lines = shown(table, replace(table, repair="lsq"))
    assert lines[0] == "Left of the unpruned score, in percent (mean of 11 benchmarks)"
    assert lines[1].split() == ["unpruned", "10%", "20%", "30%", "40%", "50%", "60%"]
    for name, line in zip(("MAW", "MAW + LSQ"), lines[2:4], strict=True):
        *values, curve = line.removeprefix(name + " ").split()
        unpruned, *_ = columns = table.grid.columns
        scores = [row for row in table.grid.rows if row.kind == "score"]
        for width, value in zip(columns, values, strict=True):
            shares = [
                (one.value or 0) / (whole.value or 1)
                for row in scores
                if (one := table.grid.at(row, width)) and (whole := table.grid.at(row, unpruned))
            ]
            assert float(value) == pytest.approx(100 * sum(shares) / len(shares), abs=0.051)
        assert (len(curve), curve[0]) == (7, "█")
    assert sum(line.startswith("MAW + LSQ") for line in lines) == 3  # beside the scores, two perplexities


def test_one_alone_is_beside_nothing(table: DeltaTable) -> None:
    assert shown(table) == []
