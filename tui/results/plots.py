"""Which plots there are: a benchmark against level or size, and what is kept over all of them."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean
from typing import Literal

from tui.format import count, value
from tui.results.matrix import Matrix, subject_name
from tui.results.plot_widget import styled
from tui.results.plotting import Axis, Plot, Point
from warehouse.read.grid import Benchmark, Width

Across = Literal["level", "parameters", "expansion ratio"]
ACROSS: tuple[Across, ...] = ("level", "parameters", "expansion ratio")


def benchmark_plot(
    matrix: Matrix, benchmark: Benchmark, dark: bool, *, across: Across = "level", log: bool | None = None
) -> Plot:
    """A benchmark's scores with their standard errors, a line for each model, and one where guessing scores.

    Perplexities have a log axis.
    """
    kept: list[tuple[str, tuple[Point, ...]]] = []
    for subject, widths in _by_subject(matrix).items():
        points = []
        for width in widths:
            cell = matrix.at(benchmark, width)
            x = _x(width, across)
            if cell is not None and cell.value is not None and x is not None:
                points.append(Point(x, cell.value, cell.stderr))
        kept.append((subject, tuple(sorted(points, key=lambda p: p.x))))
    logarithmic = benchmark.kind == "perplexity" if log is None else log
    y = Axis(f"{benchmark.name}, {benchmark.metric_name}", _short, log=logarithmic)
    return Plot(_axis(matrix, across), y, styled(kept, dark=dark), None if logarithmic else _chance(matrix, benchmark))


def _chance(matrix: Matrix, benchmark: Benchmark) -> float | None:
    cells = (matrix.at(benchmark, width) for width in matrix.columns)
    return next((cell.chance for cell in cells if cell is not None and cell.chance is not None), None)


def kept_plot(matrix: Matrix, dark: bool, *, across: Across = "parameters") -> Plot:
    """The mean over benchmarks of the share of the unpruned model's score that is left, as `level_scores` has it."""
    kept: list[tuple[str, tuple[Point, ...]]] = []
    for subject, widths in _by_subject(matrix).items():
        points = []
        for width in widths:
            shares: defaultdict[str, list[float]] = defaultdict(list)  # of a task, one for each number of shots
            for benchmark in matrix.rows:
                if (share := _share(matrix, benchmark, width)) is not None:
                    shares[benchmark.task].append(share)
            x = _x(width, across)
            if shares and x is not None:
                points.append(Point(x, 100 * fmean(fmean(of_task) for of_task in shares.values())))
        kept.append((subject, tuple(sorted(points, key=lambda p: p.x))))
    y = Axis("share of the unpruned scores kept, mean over benchmarks", lambda v: f"{v:g}%")
    return Plot(_axis(matrix, across), y, styled(kept, dark=dark))


def _by_subject(matrix: Matrix) -> dict[str, list[Width]]:
    found: dict[str, list[Width]] = {}
    for width in matrix.columns:
        found.setdefault(subject_name(width, matrix.columns), []).append(width)
    return found


def _share(matrix: Matrix, benchmark: Benchmark, width: Width) -> float | None:
    cell = matrix.at(benchmark, width)
    if cell is None:
        return None
    if width.unpruned:
        return 1.0
    score, baseline = cell.value, cell.baseline
    if score is None or baseline is None or baseline != baseline:
        return None
    if score != score:
        return 0.0
    top, bottom = (baseline, score) if cell.higher_is_better is False else (score, baseline)
    return top / bottom if bottom else None


def _x(width: Width, across: Across) -> float | None:
    match across:
        case "level":
            return width.pruning_pct
        case "parameters":
            return None if width.parameters is None else float(width.parameters)
        case "expansion ratio":
            return width.expansion_ratio


def _axis(matrix: Matrix, across: Across) -> Axis:
    match across:
        case "level":
            levels = tuple(sorted({width.pruning_pct for width in matrix.columns}))
            return Axis("neurons removed", lambda v: f"{v:g}%", levels)
        case "parameters":
            return Axis("parameters", count)
        case "expansion ratio":
            return Axis("expansion ratio", lambda v: f"{v:g}×")


def _short(tick: float) -> str:
    return f"{tick:g}" if abs(tick) < 1e6 else value(tick)
