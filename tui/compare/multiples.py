"""All benchmarks of the compared at once, a small plot each; the first is what is kept over all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Click
from textual.screen import Screen
from textual.widgets import Static

from tui.results.matrix import Matrix
from tui.results.plot_screen import PlotScreen
from tui.results.plot_widget import PlotView
from tui.results.plots import ACROSS, Across, benchmark_plot, kept_plot
from tui.results.plotting import legend
from tui.shell.queries import Question
from tui.widgets.key_footer import KeyFooter
from tui.widgets.top_line import TopLine
from warehouse.read.grid import Benchmark


class SmallPlot(PlotView, can_focus=True):
    """`benchmark` is None for what is kept over all of them."""

    with_legend = False

    def __init__(self, benchmark: Benchmark | None) -> None:
        super().__init__()
        self.benchmark = benchmark
        self.tooltip = benchmark.name if benchmark else "All benchmarks"

    def on_click(self, event: Click) -> None:
        self.focus()


class MultiplesScreen(Screen[None]):
    """A line for each model, method and repair, the same in every plot."""

    TITLE = "All benchmarks"
    HELP = "Scores against levels or sizes, a line for each model, method and repair. Enter shows a plot in full."
    CSS_PATH = "compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "In full", tooltip="This benchmark's plot over the whole screen"),
        Binding("e", "across", "Basis", tooltip="Against level, parameters or expansion ratio"),
        Binding("right,l", "move(1, 0)", "Next", show=False),
        Binding("left,h", "move(-1, 0)", "Previous", show=False),
        Binding("down,j", "move(1, 1)", "Down", show=False),
        Binding("up,k", "move(-1, 1)", "Up", show=False),
        Binding("escape,P,backspace", "app.pop_screen", "Back", key_display="esc"),
    ]

    def __init__(self, matrix: Matrix, question: Callable[..., Question], across: Across) -> None:
        super().__init__()
        self._matrix = matrix
        self._question = question
        self._across: Across = across

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Static(id="multiples-title", classes="title")
        with VerticalScroll(id="multiples", can_focus=False):
            yield SmallPlot(None)
            for benchmark in self._matrix.rows:
                yield SmallPlot(benchmark)
        yield Static(id="multiples-legend")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query(SmallPlot).first().focus()
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        dark = self.app.current_theme.dark
        kept = kept_plot(self._matrix, dark, across=self._across)
        kept = replace(kept, y=replace(kept.y, title="All: share kept"))
        for small in self.query(SmallPlot):
            one = small.benchmark
            small.draw(kept if one is None else benchmark_plot(self._matrix, one, dark, across=self._across))
        title = Text("All benchmarks", no_wrap=True, overflow="ellipsis")
        title.append(
            f"  against {self._across} · bars ±1 SE · the first: mean share of the unpruned scores", "not bold"
        )
        self.query_one("#multiples-title", Static).update(title)
        self.query_one("#multiples-legend", Static).update(legend(kept.series, max(self.size.width - 2, 1)))

    @property
    def _chosen(self) -> SmallPlot:
        return self.focused if isinstance(self.focused, SmallPlot) else self.query(SmallPlot).first()

    def action_look(self) -> None:
        benchmark = self._chosen.benchmark
        shown = PlotScreen(self._matrix, benchmark or self._matrix.rows[0], self._question, across=self._across)
        if benchmark is None:
            shown.show_all()
        self.app.push_screen(shown)

    def action_across(self) -> None:
        self._across = ACROSS[(ACROSS.index(self._across) + 1) % len(ACROSS)]
        self._draw()

    def action_move(self, step: int, lines: int) -> None:
        """To the next plot or, with `lines`, to the one below."""
        plots = list(self.query(SmallPlot))
        across = 2 if self.size.width < 100 else 3 if self.size.width < 150 else 4
        place = plots.index(self._chosen) + step * (across if lines else 1)
        plots[min(max(place, 0), len(plots) - 1)].focus()
