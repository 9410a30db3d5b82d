"""A plot of `tui.results.plotting` as a widget: drawn to the size it is given."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text
from textual.widget import Widget

from tui.results.plotting import MARKERS, Plot, Series, legend

# Okabe & Ito's colours, in an order in which neighbours differ for every kind of eye; the last one is the text's.
_DARK = ("#56B4E9", "#E69F00", "#F0E442", "#CC79A7", "#009E73", "#D55E00")
_LIGHT = ("#0072B2", "#B35C00", "#7A6A00", "#9C4377", "#00704F", "#A33C00")


def series_colour(index: int, *, dark: bool) -> str:
    colours = _DARK if dark else _LIGHT
    return colours[index % len(colours)]


def series_marker(index: int) -> str:
    return MARKERS[index % len(MARKERS)]


class PlotView(Widget):
    """Give it a `Plot` with `draw`; it has its legend below."""

    DEFAULT_CSS = """
    PlotView { width: 1fr; height: 1fr; min-height: 8; }
    """

    plot: Plot | None = None
    with_legend = True

    def draw(self, plot: Plot | None) -> None:
        self.plot = plot
        self.refresh()

    def render(self) -> RenderableType:
        if self.plot is None:
            return Text("")
        theme = self.app.theme_variables
        width, height = self.size
        below = legend(self.plot.series, width) if self.with_legend else None
        rows = height - (below.plain.count("\n") + 1 if below is not None else 0)
        neutral = theme.get("neutral", "#888888")
        lines = self.plot.lines(width, rows, axis=theme.get("border-blurred", neutral), muted=neutral)
        return Group(*lines, *([below] if below is not None else []))


def styled(series: list[tuple[str, tuple]], *, dark: bool) -> tuple[Series, ...]:
    """Labels and points as series, each with the colour and marker of its place; one without points keeps its own."""
    return tuple(
        Series(label, points, series_colour(index, dark=dark), series_marker(index))
        for index, (label, points) in enumerate(series)
        if points
    )
