"""What each level costs: quality against memory, time a token or energy, and what a budget leaves of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.screen import Screen
from textual.widgets import Input, Static

from tui.compare.fronts import Line, front_plot, price_name, quality_name, table
from tui.host import host
from tui.results.matrix import Matrix
from tui.results.plot_widget import PlotView
from tui.shell.background import ask
from tui.shell.exporting import Sheet
from tui.shell.queries import Question
from tui.widgets.key_footer import KeyFooter
from tui.widgets.top_line import TopLine
from warehouse.errors import UserError
from warehouse.exporters.cost_markdown import label
from warehouse.read.budget import Budget
from warehouse.read.choose import Candidate, Candidates, Choice, choose_among, read_candidates
from warehouse.read.fronts import PRICES, Price, Standing, standings
from warehouse.read.grid import Benchmark
from warehouse.records.names import short_name

NOTHING = (
    "Nobody measured what these levels cost. `prune-tui profile MODEL` measures time, memory and energy of each level; "
    "`prune-tui run … --profile`, or “profile” in the form of a new run, does it behind the cells of a run."
)
_EXAMPLE = "budget: max-memory 1.6GB max-ms-per-token 30 keep mmlu=0.9 lose piqa=2"


class CostsScreen(Screen[None]):
    """Reads in a thread, since the file may be busy."""

    TITLE = "Costs"
    HELP = (
        "Each point is a level: what it keeps against what it costs, with 95 % intervals. On the front no other level "
        "is as good for as little; ◌ is within noise of it, · behind it in both beyond noise. A budget is written as "
        "`prune-tui choose` takes it, and answered for each model."
    )
    CSS_PATH = "compare.tcss"
    AUTO_FOCUS = ""  # none: the arrows step through the benchmarks
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "across", "Basis", tooltip="Against memory, time a token or energy"),
        Binding(
            "down,j,right", "step(1)", "Next benchmark", key_display="↓", tooltip="The quality: kept, or a benchmark"
        ),
        Binding("up,k,left", "step(-1)", "Previous", show=False),
        Binding("a", "all", "All benchmarks", tooltip="What is kept over all benchmarks, by the rule in use"),
        Binding("tab", "focus_next", "Budget", tooltip="Write a budget, and see which level it leaves"),
        Binding("escape", "back", "Back", key_display="esc"),
        Binding("dollar_sign,backspace", "app.pop_screen", show=False),
    ]

    def __init__(self, matrix: Matrix, question: Callable[..., Question]) -> None:
        super().__init__()
        self._matrix = matrix
        self._question = question
        self.benchmark: Benchmark | None = None
        self.price: Price = "memory"
        self.priced: Candidates | None = None

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Static(id="costs-title", classes="title")
        yield Static(id="costs-said", classes="said", markup=False)
        with Container(id="costs-body"):
            yield PlotView(id="costs-plot")
            with VerticalScroll(id="costs-list"):
                yield Static("Reading…", id="costs-table")
        yield Input(placeholder=_EXAMPLE, compact=True, id="budget")
        yield Static(id="budget-says", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        database = host(self).database
        ids = list(dict.fromkeys(width.model_id for width in self._matrix.columns))
        ask(self.app, lambda: _or_words(lambda: read_candidates(database, ids)), self._show)

    def on_resize(self) -> None:
        self._draw()

    def _show(self, answer: Candidates | str) -> None:
        if not self.is_mounted:
            return
        if isinstance(answer, str):
            self.query_one("#costs-table", Static).update(Text(answer))
            return
        self.priced = answer
        measured: list[Price] = [price for price in PRICES if not self._without(price)]
        self.price = measured[0] if measured else self.price
        self._draw()

    def _standings(self, price: Price) -> list[Standing]:
        assert self.priced is not None
        return standings(self._matrix, self.priced, self.benchmark, price)

    def _draw(self) -> None:
        if self.priced is None or not self.query("#costs-plot"):
            return
        found = self._standings(self.price)
        plot, said = self.query_one(PlotView), self.query_one("#costs-said", Static)
        drawable = any(one.place is not None for one in found)
        plot.display = drawable
        nothing = "" if any(one.cost is not None for one in found) else self._nothing()
        said.update(nothing)
        said.display = bool(nothing)
        line = self.app.theme_variables["neutral"]
        dark = self.app.current_theme.dark
        plot.draw(
            front_plot(found, self.benchmark, self.price, self.priced, dark=dark, line=line) if drawable else None
        )
        self.query_one("#costs-table", Static).update(
            _table(table(found, self.benchmark, self.price, self.priced), self._names())
        )
        title = Text(f"{_first_upper(self._names()[0])} against {self._names()[1]}", no_wrap=True, overflow="ellipsis")
        where = "not profiled" if self.priced.device is None else f"{self.priced.device}, {self.priced.batch} at a time"
        title.append(f"  {where} · bars: 95 %", "not bold")
        self.query_one("#costs-title", Static).update(title)

    def _nothing(self) -> str:
        assert self.priced is not None
        if all(self._without(price) for price in PRICES):
            return NOTHING
        return f"No {price_name(self.price, self.priced)} of these was measured: e shows what was."

    def _without(self, price: Price) -> bool:
        return all(one.cost is None for one in self._standings(price))

    def _names(self) -> tuple[str, str]:
        assert self.priced is not None
        return quality_name(self.benchmark, self.priced), price_name(self.price, self.priced)

    def action_across(self) -> None:
        self.price = PRICES[(PRICES.index(self.price) + 1) % len(PRICES)]
        self._draw()

    def action_step(self, step: int) -> None:
        known = [None, *self._matrix.rows]
        self.benchmark = known[(known.index(self.benchmark) + step) % len(known)]
        self._draw()

    def action_all(self) -> None:
        self.benchmark = None
        self._draw()

    def action_focus_next(self) -> None:
        """The budget first, then the list, which scrolls."""
        budget = self.query_one(Input)
        (self.query_one("#costs-list") if budget.has_focus else budget).focus()

    def action_back(self) -> None:
        """Out of the budget first."""
        if isinstance(self.focused, Input):
            self.set_focus(None)
        else:
            self.app.pop_screen()

    @on(Input.Submitted, "#budget")
    def _budgeted(self, event: Input.Submitted) -> None:
        event.stop()
        database = host(self).database
        priced, text = self.priced, event.value
        if priced is None:
            return
        models: dict[str, list[Candidate]] = {}
        for one in priced.candidates:
            models.setdefault(one.model_id, []).append(one)

        def answer() -> list[Choice]:
            budget = Budget.of_words(text)
            return [choose_among(database, replace(priced, candidates=tuple(own)), budget) for own in models.values()]

        ask(self.app, lambda: _or_words(answer), self._say_choice)

    def _say_choice(self, answer: list[Choice] | str) -> None:
        if not self.is_mounted:
            return
        told = answer if isinstance(answer, str) else "\n".join(map(_choice, answer))
        self.query_one("#budget-says", Static).update(told)

    def sheet(self) -> Sheet | None:
        """The widths as they are shown."""
        if self.priced is None:
            return None
        rows = table(self._standings(self.price), self.benchmark, self.price, self.priced)
        cells: tuple[tuple[Any, ...], ...] = tuple(
            (one.subject, one.level, one.quality, one.cost, one.place) for one in rows
        )
        quality, price = self._names()
        return Sheet(f"{quality} against {price}", ("model", "level", quality, price, "place"), cells,
                     self._question("matrix_levels").sql()) if cells else None  # fmt: skip


def _or_words(question: Callable[[], Any]) -> Any:
    try:
        return question()
    except UserError as error:
        return str(error)


def _choice(found: Choice) -> str:
    model = short_name((found.best or found.others[0]).model)
    if found.best is None:
        nearest = found.others[-1]
        return f"{model}: none. {label(nearest)}: {'; '.join((*nearest.out, *nearest.unknown))}"
    kept = f"keeps {found.best.score:.1f} {found.best.unit}" if found.best.pruning_pct else "keeps all"
    more = f"; {len(found.fitting)} of {len(found.fitting) + len(found.others)} are within the budget"
    return f"{model}: {label(found.best)}, {kept}{more}"


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(lines: Sequence[Line], names: tuple[str, str]) -> Table:
    several = len({one.subject for one in lines}) > 1
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, justify in (
        ("model", "left"),
        ("level", "right"),
        ("quality", "right"),
        (names[1], "right"),
        ("", "left"),
    ):
        if name != "model" or several:
            grid.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for one in lines:
        cells = (one.subject, one.level, one.quality, one.cost, one.place)
        grid.add_row(*(Text(cell) for cell in (cells if several else cells[1:])))
    return grid
