"""Draws what a repair buys, docs/repair-curves.svg, from the demo's results: `python docs/repair_picture.py DATABASE`.

    prune-tui demo --method maw,obs --repair none,lsq --db DATABASE

makes these in a few minutes on two cores. One curve is the study's method, the other ours.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from warehouse.read.deltas import read_deltas
from warehouse.read.grid import Benchmark

PICTURE = Path(__file__).with_name("repair-curves.svg")
WAYS = {("maw", "none"): ("MAW, the study's method", "#b45309"), ("obs", "lsq"): ("OBS + LSQ", "#1d4ed8")}
_WIDTH, _HEIGHT = 860, 340
_PANEL, _PLOT = (330, 210), 60  # a panel's size, and how far below the top it begins
_LEFTS = (70, 500)

Curve = list[tuple[float, float]]
"""Percent of neurons removed, and a value."""


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    curves: list[Curve]
    ticks: list[float]
    write: Callable[[float], str]
    place: Callable[[float], float]
    """Where a value stands, 0 at the bottom and 1 at the top."""


def main() -> None:
    kept, perplexities = zip(*(curves(Path(sys.argv[1]), *way) for way in WAYS), strict=True)
    most = max(value for curve in perplexities for _, value in curve)
    panels = [
        Panel(
            title="Percent of the unpruned score, mean of five benchmarks",
            curves=list(kept),
            ticks=[0, 25, 50, 75, 100],
            write=lambda value: f"{value:.0f}",
            place=lambda value: value / 105,
        ),
        Panel(
            title="Perplexity of the demo's stories",
            curves=list(perplexities),
            ticks=[2, 3, 4, 5, 6, 7],
            write=lambda value: f"{value:.1f}",
            place=lambda value: math.log(value / 1.7) / math.log(1.1 * most / 1.7),
        ),
    ]
    PICTURE.write_text(drawn(panels), encoding="utf-8")


def curves(database: Path, method: str, repair: str) -> tuple[Curve, Curve]:
    """The mean share of the unpruned scores that is left, in percent, and the perplexity, by level."""
    [table] = read_deltas(database, model="demo", method=method, repair=repair).tables
    widths = table.grid.columns

    def values(benchmark: Benchmark) -> list[float]:
        found = [table.grid.at(benchmark, width) for width in widths]
        return [cell.value for cell in found if cell is not None and cell.value is not None]

    shares = [[one / scores[0] for one in scores] for scores in _of_kind(table.grid.rows, "score", values)]
    [perplexity] = _of_kind(table.grid.rows, "perplexity", values)
    levels = [width.pruning_pct for width in widths]
    means = [100 * fmean(at) for at in zip(*shares, strict=True)]
    return list(zip(levels, means, strict=True)), list(zip(levels, perplexity, strict=True))


def _of_kind(
    benchmarks: Sequence[Benchmark], kind: str, values: Callable[[Benchmark], list[float]]
) -> list[list[float]]:
    return [values(benchmark) for benchmark in benchmarks if benchmark.kind == kind]


def drawn(panels: Sequence[Panel]) -> str:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="13" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" role="img" '
        'aria-label="What is left of the demo model, level by level, by the study\'s method and by OBS with LSQ">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="#ffffff"/>',
    ]
    for left, panel in zip(_LEFTS, panels, strict=True):
        parts += _panel(left, panel)
    for at, (name, color) in enumerate(WAYS.values()):
        x = 70 + 230 * at
        parts.append(f'<line x1="{x}" y1="318" x2="{x + 26}" y2="318" stroke="{color}" stroke-width="3"/>')
        parts.append(f'<text x="{x + 34}" y="322" fill="#111827">{name}</text>')
    parts.append(_text(_WIDTH - 30, 322, "percent of neurons removed from every MLP", "end", "#6b7280"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(left: float, panel: Panel) -> list[str]:
    width, height = _PANEL
    most = max(level for curve in panel.curves for level, _ in curve)

    def x(level: float) -> float:
        return left + width * level / most

    def y(value: float) -> float:
        return _PLOT + height * (1 - panel.place(value))

    parts = [_text(left - 30, 32, panel.title, "start", "#111827")]
    for tick in panel.ticks:
        parts.append(f'<line x1="{left}" y1="{y(tick):.1f}" x2="{left + width}" y2="{y(tick):.1f}" stroke="#e5e7eb"/>')
        parts.append(_text(left - 8, y(tick) + 4, f"{tick:g}", "end", "#6b7280"))
    for level, _ in panel.curves[0]:
        parts.append(_text(x(level), _PLOT + height + 20, f"{level:g} %", "middle", "#6b7280"))
    for curve, (_, color) in zip(panel.curves, WAYS.values(), strict=True):
        points = " ".join(f"{x(level):.1f},{y(value):.1f}" for level, value in curve)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{x(level):.1f}" cy="{y(value):.1f}" r="3.5" fill="{color}"/>' for level, value in curve]
        level, value = curve[-1]
        parts.append(_text(x(level) + 8, y(value) + 4, panel.write(value), "start", color))
    return parts


def _text(x: float, y: float, text: str, anchor: str, color: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{text}</text>'


if __name__ == "__main__":
    main()
