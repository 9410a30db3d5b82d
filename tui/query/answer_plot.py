"""An answer as a plot: a number against another one, a line for each value of a column of words."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from tui.format import count
from tui.query.result_table import is_number, shown
from tui.results.plot_widget import PlotView, styled
from tui.results.plotting import Axis, Plot, Point
from tui.widgets.key_footer import KeyFooter
from tui.widgets.top_line import TopLine
from warehouse.exporters.tables import Table

_MOST_LINES = 8  # more could not be told apart
_ROW = "row"


def numbers(table: Table) -> list[int]:
    """The columns that can be drawn."""
    return [index for index, kind in enumerate(table.types) if is_number(kind)]


def open_plot(app: App[Any], table: Table | None, column: int) -> None:
    """Show an answer's plot, or say why there is none."""
    if table is None or not table.rows:
        app.notify("There is no answer to plot yet: f5 runs the statement.")
    elif not numbers(table):
        app.notify("The answer has no column of numbers to plot.", severity="warning")
    else:
        app.push_screen(AnswerPlotScreen(table, column))


def lines_by(table: Table) -> int | None:
    """The first column of words with few enough values for a line each."""
    for index, kind in enumerate(table.types):
        if kind.upper() == "VARCHAR" and 1 < len({row[index] for row in table.rows}) <= _MOST_LINES:
            return index
    return None


def answer_plot(table: Table, y: int, x: int | None, *, dark: bool) -> Plot:
    """`y` against `x`, columns of the table; `x` None is the row's number. Nulls are left out."""
    by = lines_by(table)
    series: dict[str, list[Point]] = {}
    for number, row in enumerate(table.rows, 1):
        across, up = number if x is None else row[x], row[y]
        if across is not None and up is not None and math.isfinite(float(across)) and math.isfinite(float(up)):
            name = table.columns[y] if by is None else shown(row[by])
            series.setdefault(name, []).append(Point(float(across), float(up)))
    drawn = [(name, tuple(sorted(points, key=lambda p: p.x))) for name, points in series.items()]
    return Plot(
        Axis(_ROW if x is None else table.columns[x], _label), Axis(table.columns[y], _label), styled(drawn, dark=dark)
    )


def _label(tick: float) -> str:
    return f"{tick:g}" if abs(tick) < 1e5 else count(tick)


class AnswerPlotScreen(Screen[None]):
    """Begins with the column `y`, against the first other number."""

    TITLE = "Plot of an answer"
    HELP = "The answer of Query: a number against another one, a line for each value of its first column of words."
    CSS_PATH = "query.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "step(1)", "Column", key_display="[ ]", tooltip="Draw the next column"),
        Binding("left_square_bracket", "step(-1)", "Column before", show=False, tooltip="Draw the column before"),
        Binding("e", "across", "Basis", tooltip="Against the next column, and the row's number after the last"),
        Binding("escape,P,backspace", "app.pop_screen", "Back", key_display="esc"),
    ]

    def __init__(self, table: Table, y: int) -> None:
        super().__init__()
        self._table = table
        self._columns = numbers(table)
        self._y = y if y in self._columns else self._columns[-1]
        self._x: int | None = next((one for one in self._columns if one != self._y), None)

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Static(id="answer-plot-title", classes="title")
        yield PlotView(id="answer-plot")
        yield KeyFooter()

    def on_mount(self) -> None:
        self._draw()

    def _draw(self) -> None:
        columns = self._table.columns
        text = Text(columns[self._y], no_wrap=True, overflow="ellipsis")
        by = lines_by(self._table)
        each = "" if by is None else f" · a line for each {columns[by]}"
        text.append(f"  against {_ROW if self._x is None else columns[self._x]}{each}", "not bold")
        self.query_one("#answer-plot-title", Static).update(text)
        self.query_one(PlotView).draw(answer_plot(self._table, self._y, self._x, dark=self.app.current_theme.dark))

    def action_step(self, step: int) -> None:
        self._y = self._columns[(self._columns.index(self._y) + step) % len(self._columns)]
        self._draw()

    def action_across(self) -> None:
        ways: list[int | None] = [*(one for one in self._columns if one != self._y), None]
        now = ways.index(self._x) if self._x in ways else -1
        self._x = ways[(now + 1) % len(ways)]
        self._draw()
