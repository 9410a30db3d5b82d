"""Draws lines with error bars in text: braille dots between points, a shape of its own for each series' points.

No library that Textual has draws a logarithmic axis with error bars, which are unequal there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from rich.style import Style
from rich.text import Text

MARKERS = "●■◆▲○□◇△"
_CHANCE = " chance "  # on its line
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True, slots=True)
class Point:
    """`bar` is how far its bar reaches up and down, `x_bar` to either side. `marker` stands in place of that of its
    series ("" draws none), and `label` beside it, where there is room.
    """

    x: float
    y: float
    bar: float | None = None
    x_bar: float | None = None
    marker: str | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """Points in the order of x, drawn in a colour and with a marker that tells them apart without it; a line joins
    them.
    """

    label: str
    points: tuple[Point, ...]
    colour: str
    marker: str
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Axis:
    """`ticks` are where to write labels; None leaves the choice to the plot. `label` formats one."""

    title: str
    label: Callable[[float], str] = lambda value: f"{value:g}"
    ticks: tuple[float, ...] | None = None
    log: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    chance: float | None = None
    """What guessing scores: a line across the plot, which always reaches as far."""

    def lines(self, width: int, height: int, *, axis: str, muted: str) -> list[Text]:
        """The plot as `height` lines of `width` cells; a note instead where there is nothing to draw."""
        points = [p for one in self.series for p in one.points if _drawable(p, self.y.log)]
        if not points or width < 24 or height < 6:
            said = "no scores to plot" if not points else "too small to plot here"
            return [Text(said.center(max(width, 0))[:width], Style(color=muted))]
        return _Canvas(self, points, width, height, axis, muted).lines()


def nice_ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    """At most about `count` round numbers between two values."""
    if high <= low:
        return (low,)
    raw = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(index * step, 12) for index in range(first, last + 1))


def log_ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    """Powers of ten between two positive values, with 2 and 5 between them where there is room."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = tuple(f * 10.0**e for e in exponents for f in factors if low * 0.999 <= f * 10.0**e <= high * 1.001)
        if len(ticks) <= max(count, 2):
            break
    return ticks if len(ticks) > 1 else (low, high)


def _drawable(point: Point, log: bool) -> bool:
    return math.isfinite(point.x) and math.isfinite(point.y) and (point.y > 0 or not log)


class _Canvas:
    def __init__(self, plot: Plot, points: list[Point], width: int, height: int, axis: str, muted: str) -> None:
        self.plot = plot
        self.axis, self.muted = Style(color=axis), Style(color=muted)
        low, high = self._y_range(points)
        rows = height - 3  # a title line above, the axis and its labels below
        self.y_ticks = plot.y.ticks or (
            log_ticks(low, high, rows // 2) if plot.y.log else nice_ticks(low, high, max(rows // 3, 2))
        )
        labels = [plot.y.label(tick) for tick in self.y_ticks]
        self.left = max(map(len, labels), default=1) + 2
        self.columns, self.rows = width - self.left - 3, rows
        xs = [end for p in points for end in (p.x - (p.x_bar or 0.0), p.x + (p.x_bar or 0.0))]
        pad = (max(xs) - min(xs)) * 0.03 or 1.0
        self.x0, self.x1 = min(xs) - pad, max(xs) + pad
        self.y0, self.y1 = self._scaled(low), self._scaled(high)
        self.width, self.height = width, height
        self.dots: dict[tuple[int, int], tuple[int, Style]] = {}
        self.glyphs: dict[tuple[int, int], tuple[str, Style]] = {}

    def _y_range(self, points: list[Point]) -> tuple[float, float]:
        ends = [p.y for p in points]
        for p in points:
            if p.bar is not None and math.isfinite(p.bar):
                ends += [p.y + p.bar, *([p.y - p.bar] if p.y > p.bar or not self.plot.y.log else [])]
        if self.plot.chance is not None:
            ends.append(self.plot.chance)
        low, high = min(ends), max(ends)
        if self.plot.y.log:
            return low / 1.15, high * 1.15
        pad = (high - low) * 0.06 or abs(high) * 0.05 or 1.0
        return low - pad, high + pad

    def _scaled(self, y: float) -> float:
        return math.log10(y) if self.plot.y.log else y

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """In dots from the top left: two to a cell across, four down."""
        across = (x - self.x0) / (self.x1 - self.x0) * (self.columns * 2 - 1)
        down = (self.y1 - self._scaled(y)) / (self.y1 - self.y0) * (self.rows * 4 - 1)
        return across, down

    def _cell(self, x: float, y: float) -> tuple[int, int]:
        across, down = self._at(x, y)
        return round(across) // 2, round(down) // 4

    def lines(self) -> list[Text]:
        for one in self.plot.series:
            if not one.joined:
                continue
            style = Style(color=one.colour)
            points = [p for p in one.points if _drawable(p, self.plot.y.log)]
            for a, b in pairwise(points):
                self._line(self._at(a.x, a.y), self._at(b.x, b.y), style)
        for one in self.plot.series:
            style = Style(color=one.colour)
            for p in one.points:
                if _drawable(p, self.plot.y.log):
                    self._bar_across(p, style)
                    self._error_bar(p, style)
        taken: set[tuple[int, int]] = set()
        for one in reversed(self.plot.series):
            style = Style(color=one.colour, bold=True)
            for p in one.points:
                if _drawable(p, self.plot.y.log):
                    marker = one.marker if p.marker is None else p.marker
                    if marker:
                        self.glyphs[self._cell(p.x, p.y)] = (marker, style)
                        taken.add(self._cell(p.x, p.y))
        for one in self.plot.series:
            for p in one.points:
                if p.label and _drawable(p, self.plot.y.log):
                    taken |= self._label(p, Style(color=one.colour), taken)
        return [self._title(), *self._body(), *self._x_axis()]

    def _line(self, start: tuple[float, float], end: tuple[float, float], style: Style) -> None:
        steps = max(int(max(abs(end[0] - start[0]), abs(end[1] - start[1]))), 1)
        for step in range(steps + 1):
            x = round(start[0] + (end[0] - start[0]) * step / steps)
            y = round(start[1] + (end[1] - start[1]) * step / steps)
            bits, _ = self.dots.get((x // 2, y // 4), (0, style))
            self.dots[x // 2, y // 4] = (bits | _DOTS[y % 4][x % 2], style)

    def _error_bar(self, p: Point, style: Style) -> None:
        if p.bar is None or not math.isfinite(p.bar) or p.bar <= 0:
            return
        column = self._cell(p.x, p.y)[0]
        top = round(self._at(p.x, p.y + p.bar)[1]) // 4
        below = p.y - p.bar
        bottom = self.rows - 1 if self.plot.y.log and below <= 0 else round(self._at(p.x, below)[1]) // 4
        for row in range(max(top, 0), min(bottom, self.rows - 1) + 1):
            end = "┬" if row == top else "┴" if row == bottom else "│"
            self.glyphs[column, row] = ("┼" if top == bottom else end, style)

    def _bar_across(self, p: Point, style: Style) -> None:
        if p.x_bar is None or not math.isfinite(p.x_bar) or p.x_bar <= 0:
            return
        left, row = self._cell(p.x - p.x_bar, p.y)
        right, _ = self._cell(p.x + p.x_bar, p.y)
        for column in range(left, right + 1):
            end = "├" if column == left else "┤" if column == right else "─"
            self.glyphs[column, row] = ("┼" if left == right else end, style)

    def _label(self, p: Point, style: Style, taken: Set[tuple[int, int]]) -> set[tuple[int, int]]:
        """The cells of its label: to the right, else to the left, above or below, where no marker and no label is."""
        column, row = self._cell(p.x, p.y)
        size = len(p.label)
        for start, line in ((column + 1, row), (column - size, row), (column + 1, row - 1), (column + 1, row + 1)):
            places = [(start + i, line) for i in range(size)]
            inside = start >= 0 and start + size <= self.columns and 0 <= line < self.rows
            if inside and taken.isdisjoint(places):
                self.glyphs |= {place: (letter, style) for place, letter in zip(places, p.label, strict=True)}
                return set(places)
        return set()

    def _title(self) -> Text:
        log = " (log)" if self.plot.y.log else ""
        title, across = f"{' ' * self.left}{self.plot.y.title}{log}", f"across: {self.plot.x.title} "
        if len(title) + len(across) < self.width:
            title += across.rjust(self.width - len(title))
        return Text(title[: self.width], self.muted, no_wrap=True)

    def _body(self) -> list[Text]:
        at = {round(self._at(self.x0, tick)[1]) // 4: self.plot.y.label(tick) for tick in self.y_ticks}
        chance = None if self.plot.chance is None else round(self._at(self.x0, self.plot.chance)[1]) // 4
        lines: list[Text] = []
        for row in range(self.rows):
            line = Text(f"{at.get(row, ''):>{self.left - 2}} ", self.muted, no_wrap=True)
            line.append("┤" if row in at else "│", self.axis)
            for column in range(self.columns):
                if found := self.glyphs.get((column, row)):
                    line.append(*found)
                elif dots := self.dots.get((column, row)):
                    line.append(chr(0x2800 + dots[0]), dots[1])
                elif row == chance:
                    at_left = column - 1 if column and column <= len(_CHANCE) else None
                    line.append("╌" if at_left is None else _CHANCE[at_left], self.muted)
                else:
                    line.append("┈" if row in at else " ", self.axis)
            lines.append(line)
        return lines

    def _x_axis(self) -> list[Text]:
        ticks = self.plot.x.ticks or nice_ticks(self.x0, self.x1, max(self.columns // 12, 2))
        rule, labels = ["─"] * self.columns, [" "] * (self.columns + 3)
        taken = -1
        for tick in ticks:
            if not self.x0 <= tick <= self.x1:
                continue
            column = round(self._at(tick, _back(self.y0, self.plot.y.log))[0]) // 2
            rule[column] = "┬"
            label = self.plot.x.label(tick)
            start = max(min(column - len(label) // 2, len(labels) - len(label)), 0)
            if start > taken:
                labels[start : start + len(label)] = label
                taken = start + len(label)
        text = f"{' ' * self.left}{''.join(labels).rstrip()}"
        return [
            Text.assemble((" " * (self.left - 1), self.muted), ("└" + "".join(rule), self.axis)),
            Text(text[: self.width], self.muted, no_wrap=True),
        ]


def _back(scaled: float, log: bool) -> float:
    return 10.0**scaled if log else scaled


def legend(series: Sequence[Series], width: int) -> Text:
    """Markers and labels, as many on a line as fit; those that are alike once."""
    text = Text()
    used = 0
    for one in {(one.label, one.marker, one.colour): one for one in series}.values():
        size = len(one.label) + 4
        if used and used + size > width:
            text.append("\n")
            used = 0
        text.append(f"{one.marker} ", Style(color=one.colour, bold=True)).append(f"{one.label}  ")
        used += size
    return text
