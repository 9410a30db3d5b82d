"""Plots of the chosen models over the whole screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from tui.results.matrix import Matrix
from tui.results.plot_widget import PlotView
from tui.results.plots import ACROSS, Across, benchmark_plot, kept_plot
from tui.results.plotting import Plot
from tui.shell.exporting import Sheet
from tui.shell.queries import Question
from tui.widgets.key_footer import KeyFooter
from tui.widgets.top_line import TopLine
from warehouse.read.grid import Benchmark


class PlotScreen(Screen[None]):
    """A benchmark against level, parameters or expansion ratio; or what is kept over all benchmarks."""

    HELP = "Scores against levels or sizes, a line for each model; the bars are one standard error (SE) each way."
    CSS_PATH = "results.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j,right", "step(1)", "Next benchmark", key_display="↓"),
        Binding("up,k,left", "step(-1)", "Previous", key_display="↑"),
        Binding("e", "across", "Basis", tooltip="Against level, parameters or expansion ratio"),
        Binding("v", "log", "Log axis", tooltip="Logarithmic or linear scores"),
        Binding("a", "all", "All benchmarks", tooltip="Share of the scores kept, over all benchmarks"),
        Binding("escape,P,backspace", "app.pop_screen", "Back", key_display="esc"),
    ]

    def __init__(
        self,
        matrix: Matrix,
        benchmark: Benchmark,
        question: Callable[..., Question],
        *,
        across: Across = "level",
    ) -> None:
        super().__init__()
        self._matrix = matrix
        self._benchmark = benchmark
        self._question = question
        self._across: Across = across
        self._log: bool | None = None
        self._all = False

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Static(id="plot-title", classes="title")
        yield PlotView(id="plot-view")
        yield KeyFooter()

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def plot(self) -> Plot:
        dark = self.app.current_theme.dark
        if self._all:
            return kept_plot(self._matrix, dark, across=self._across)
        return benchmark_plot(self._matrix, self._benchmark, dark, across=self._across, log=self._log)

    def _draw(self) -> None:
        what = "All benchmarks" if self._all else self._benchmark.name
        text = Text(f"{what} against {self._across}", no_wrap=True)
        if not self._all:
            place = f"{self._matrix.rows.index(self._benchmark) + 1}/{len(self._matrix.rows)}"
            note = "lower is better" if self._lower_is_better() else "higher is better"
            notes = f"  {place} · {note} · bars ±1 SE"
            text.truncate(max(self.size.width - 2 - len(notes), 1), overflow="ellipsis")
            text.append(notes, "not bold")
        self.query_one("#plot-title", Static).update(text)
        self.query_one(PlotView).draw(self.plot())

    def _lower_is_better(self) -> bool:
        cells = (cell for (benchmark, _), cell in self._matrix.cells.items() if benchmark == self._benchmark)
        return any(cell.higher_is_better is False for cell in cells)

    def action_step(self, step: int) -> None:
        benchmarks = self._matrix.rows
        if not self._all:
            self._benchmark = benchmarks[(benchmarks.index(self._benchmark) + step) % len(benchmarks)]
        self._all = False
        self._log = None
        self._draw()

    def action_across(self) -> None:
        self._across = ACROSS[(ACROSS.index(self._across) + 1) % len(ACROSS)]
        self._draw()

    def action_log(self) -> None:
        if self._all:
            return
        self._log = not self.plot().y.log
        self._draw()

    def show_all(self) -> None:
        """Begin with what is kept over all benchmarks; before it is shown."""
        self._all = True

    def action_all(self) -> None:
        self._all = not self._all
        if self._all and self._across == "level":
            self._across = "parameters"
        self._draw()

    def sheet(self) -> Sheet | None:
        """The points as drawn."""
        plot = self.plot()
        rows: list[tuple[Any, ...]] = [(one.label, p.x, p.y, p.bar) for one in plot.series for p in one.points]
        if not rows:
            return None
        if self._all:
            sql = self._question("matrix_levels").sql()
        else:
            sql = self._question(
                "plot_points", task=self._benchmark.task, num_fewshot=self._benchmark.num_fewshot
            ).sql()
        return Sheet(
            f"{plot.y.title} against {self._across}", ("model", self._across, "score", "stderr"), tuple(rows), sql
        )
