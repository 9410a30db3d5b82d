"""Compare: models or methods side by side at equal percentage or expansion ratio, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from tui.compare.costs_screen import CostsScreen
from tui.compare.grids import ImprovingModel
from tui.compare.multiples import MultiplesScreen
from tui.compare.rules_screen import RulesScreen
from tui.compare.sides_pane import SidesPane
from tui.compare.tests_pane import TestsPane
from tui.compare.wording import best_levels, improving
from tui.format import count
from tui.results.matrix import Matrix
from tui.results.plot_widget import PlotView
from tui.results.plots import Across, benchmark_plot
from tui.shell.background import after_refresh
from tui.shell.choosing import SubjectsScreen
from tui.shell.exporting import Sheet, table_of
from tui.shell.queries import Question, Rows, chosen
from tui.shell.reading import IMPORT, NO_RESULTS
from tui.widgets.grid import Grid
from tui.widgets.key_footer import KeyFooter
from tui.widgets.palette import Palette
from tui.widgets.top_line import TopLine
from warehouse.read.grid import UNPRUNED, Benchmark, results
from warehouse.read.side_by_side import BestLevel, Improvement, LevelScore, Matched, PairTest
from warehouse.read.subjects import Subject

_PANES = {
    "sides": "side by side",
    "tests": "which loses more",
    "best": "best level",
    "improving": "improves everywhere",
    "plot": "plot",
}
_FOCUS = {"sides": "#sides", "tests": "#tests", "best": "#compare-best", "improving": "#improving", "plot": "#sides"}
_BASES: dict[str, Across] = {"percentage": "level", "expansion ratio": "expansion ratio", "parameters": "parameters"}
"""What widths are matched by, and what their plots have across."""


class CompareScreen(SubjectsScreen):
    """Four panes: on a wide and high terminal all of them, else fewer at a time."""

    CSS_PATH = "compare.tcss"
    PART = "compare"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "models", "Models", tooltip="Choose what to compare: two or more models or methods"),
        Binding("e", "basis", "Basis", tooltip="Match widths by percentage removed, expansion ratio or parameters"),
        Binding("P", "plot", "Plots", tooltip="All benchmarks in small plots, a line for each model and method"),
        Binding(
            "dollar_sign", "costs", "Costs", key_display="$", tooltip="Against memory, time or energy; and a budget"
        ),
        Binding("u", "rule", "Rule", tooltip="The rule by which a level is best: choose or change it"),
        Binding("right_square_bracket", "step(1)", "Width", key_display="[ ]", tooltip="The next width in common"),
        Binding("left_square_bracket", "step(-1)", "Previous width", show=False, tooltip="The width before"),
        Binding("i", "intervals", "Intervals", tooltip="Scores, or the 95 % interval of each change"),
        Binding("t", "pair", "Tests", tooltip="Which of two loses more, by a test; again for the next two"),
        Binding("b", "pane", "More", tooltip="On to: which loses more, best level, what improves everywhere"),
        IMPORT,
    ]

    def __init__(self) -> None:
        super().__init__()
        self.basis = "percentage"
        self.at: float | None = None
        self.pane = "sides"
        self._matched: list[Matched] = []
        self._levels: list[LevelScore] = []
        self._improving: list[Improvement] = []
        self._tests: list[PairTest] = []
        self._best: list[BestLevel] = []
        self._matrix = Matrix()
        self._wanted: list[str] | None = None  # runs to show once there is a screen

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Static(id="compare-title", classes="title")
        yield Static(id="compare-said", classes="said")
        yield Static(NO_RESULTS, id="compare-empty", classes="empty")
        with Horizontal(id="compare-body"):
            with Vertical(id="compare-left"):
                yield Static(id="compare-basis")
                yield SidesPane(id="compare-sides", classes="panel")
                yield TestsPane(id="compare-tests", classes="panel")
            with Vertical(id="compare-answers"):
                yield PlotView(id="compare-plot", classes="panel")
                with VerticalScroll(id="compare-best", classes="panel"):
                    yield Static(id="best")
                with Vertical(id="compare-improving", classes="panel"):
                    yield Grid(by_row=True, id="improving")
                    yield Static(id="improving-says", classes="muted")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one("#compare-body").display = False
        self._show_pane()
        for pane, title in (
            ("sides", "Side by side"),
            ("best", "Best level"),
            ("improving", "Improves at every level"),
        ):
            self.query_one(f"#compare-{pane}").border_title = title
        # Watched, not told by message: what the cursor is on and its plot are drawn in one frame.
        self.watch(self.query_one("#sides", Grid), "cursor", self._draw_plot, init=False)

    # Reading

    @property
    def has_figures(self) -> bool:
        return bool(self._levels)

    def first(self, known: list[Subject]) -> list[str]:
        return [row.key for row in _alike(known)]

    def read(self) -> None:
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self.show_runs(wanted)
            return
        names = ("matrix_matched", "matrix_levels", "matrix_improvements", "matrix_tests", "matrix_rows")
        self.ask("compare", [self.question(name) for name in names], self._show)
        self.ask("best", [self.question("matrix_best")], self._show_best)

    def question(self, name: str) -> Question:
        return chosen(name, self.subjects or [], basis=self.basis)

    def _show(self, answers: list[Rows]) -> None:
        first = not self._levels
        self._matched, self._levels, self._improving, self._tests, entries = answers
        self._matrix = results(entries)
        self.show_body()
        values = self.values()
        if self.at not in values:
            self.at = max(values, key=self._interest, default=None)
        self.draw()
        if first and self.focused is None:
            self.query_one("#sides").focus()

    def _show_best(self, answers: list[Rows]) -> None:
        [self._best] = answers
        self.query_one("#best", Static).update(best_levels(self._best, self._quiet))

    # Drawing

    def values(self) -> list[float]:
        """The percentages or expansion ratios that at least two of the chosen were measured at."""
        return sorted({row.basis_value for row in self._matched}, reverse=self.basis != "percentage")

    def _draw_plot(self) -> None:
        """The benchmark under the cursor, of all that are compared."""
        line = self.query_one(SidesPane).line()
        benchmark = next((one for one in self._matrix.rows if line is not None and _is_of(one, line)), None)
        view = self.query_one("#compare-plot", PlotView)
        view.border_title = f"{benchmark.name} against {_BASES[self.basis]}" if benchmark else "Plot"
        dark, across = self.app.current_theme.dark, _BASES[self.basis]
        view.draw(benchmark_plot(self._matrix, benchmark, dark, across=across) if benchmark else None)

    def _interest(self, at: float) -> tuple[bool, int]:
        """Where to begin: at a width that is not merely the unpruned one, with as many models as possible."""
        rows = self._rows_at(at)
        return any(not row.unpruned for row in rows), len({row.subject for row in rows})

    def _rows_at(self, at: float | None) -> list[Matched]:
        return [row for row in self._matched if row.basis_value == at]

    @property
    def _quiet(self) -> str:
        return self.app.theme_variables["neutral"]

    def draw(self) -> None:
        at = "" if self.at is None else self._width_name(self.at)
        self.query_one("#compare-basis", Static).update(self._widths())
        self.query_one(SidesPane).show(self._rows_at(self.at), self._advice())
        self.query_one(TestsPane).show(self._tests, self.at, at)
        self.query_one("#best", Static).update(best_levels(self._best, self._quiet))
        improves = self.query_one("#improving", Grid)
        improves.show(ImprovingModel(self._improving, Palette.of(improves)))
        improves.styles.max_height = improves.lines
        improves.display = bool(self._improving)
        self._draw_plot()
        self.query_one("#improving-says", Static).update(improving(self._improving))
        self._name_pane()

    def on_resize(self) -> None:
        if self._levels:
            after_refresh(self, self.draw)

    def show_title(self, said: str) -> None:
        text = Text("Compare", no_wrap=True, overflow="ellipsis")
        text.append(f"  {said}", "not bold")
        self.query_one("#compare-title", Static).update(text)

    def _name_pane(self) -> None:
        self.show_title(f"{len(self.subjects or [])} of {len(self._known)} · {_PANES[self.pane]}")

    def _widths(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        what = {"percentage": "Equal percentage removed ", "parameters": "Equal parameters (±2.5 %) "}
        text.append(what.get(self.basis, "Equal expansion ratio "), "bold")
        values = self.values()
        if not values:
            return text.append("– none in common")
        for one in values:
            text.append(f" {self._width_name(one)} ", "reverse bold" if one == self.at else self._quiet)
        return text

    def _width_name(self, at: float) -> str:
        if self.basis == "percentage":
            return UNPRUNED if at == 0 else f"{at:g}%"
        if self.basis == "parameters":
            return count(at)
        return f"{at:g}×"

    def _advice(self) -> str:
        """What to do where nothing can stand side by side."""
        if len(self.subjects or []) < 2:
            return "There is one model only: m chooses others to compare it with."
        return f"No width in common under these conditions: e compares at equal {self._next_basis}, m chooses others."

    @property
    def _next_basis(self) -> str:
        bases = list(_BASES)
        return bases[(bases.index(self.basis) + 1) % len(bases)]

    def _show_pane(self) -> None:
        for name in _PANES:
            self.set_class(name == self.pane, f"-show-{name}")

    # Actions

    def action_pane(self) -> None:
        names = list(_PANES)
        self._go(names[(names.index(self.pane) + 1) % len(names)])

    def _go(self, pane: str) -> None:
        self.pane = pane
        self._show_pane()
        self._name_pane()
        self.query_one(_FOCUS[pane]).focus()

    def action_pair(self) -> None:
        """Show the tests; where they are shown already, those of the next pair."""
        if self.pane == "tests" or self.query_one("#tests").has_focus:
            self.query_one(TestsPane).next_pair()
        else:
            self._go("tests")

    def action_intervals(self) -> None:
        sides = self.query_one(SidesPane)
        sides.intervals = not sides.intervals
        if self.pane != "sides":
            self._go("sides")
        self.draw()

    def action_basis(self) -> None:
        self.basis = self._next_basis
        self.at = None
        if self.subjects:
            self.read()

    def action_plot(self) -> None:
        if self._matrix.rows:
            asked = partial(chosen, subjects=self.subjects or [])
            self.app.push_screen(MultiplesScreen(self._matrix, asked, _BASES[self.basis]))

    def action_costs(self) -> None:
        if self._matrix.rows:
            self.app.push_screen(CostsScreen(self._matrix, partial(chosen, subjects=self.subjects or [])))

    def action_rule(self) -> None:
        def use(name: str | None) -> None:
            if name is not None:
                self.notify(f"Best by the rule {name} from now on, on every screen and in every command.")
                self.read()

        self.app.push_screen(RulesScreen(self.database), use)

    def action_step(self, step: int) -> None:
        values = self.values()
        if values:
            now = values.index(self.at) if self.at in values else 0
            self.at = values[min(max(now + step, 0), len(values) - 1)]
            self.draw()

    def action_models(self) -> None:
        self.choose("Compare which?", _choice)

    def show_runs(self, run_ids: list[str]) -> None:
        """The models and methods that these runs have scores of, and no others."""
        if self._reader is None or not self._known:  # it does not know yet what there is
            self._wanted = run_ids
            return

        def show(answers: list[Rows]) -> None:
            subjects = [row["subject"] for row in answers[0]]
            if len(subjects) > 1:
                self.chose(subjects)
            else:
                self.notify("The marked runs have scores of one model and method only: nothing to set side by side.")

        self.ask("runs", [Question("run_subjects", {"run_ids": run_ids})], show)

    def chose(self, subjects: list[str]) -> None:
        self.subjects = subjects
        self.at = None
        self.read()

    def sheet(self) -> Sheet | None:
        """The table of the pane that has the focus, else of the one that was chosen."""
        focused = self.focused.id if self.focused is not None else None
        at = "" if self.at is None else self._width_name(self.at)
        match next((pane for pane, place in _FOCUS.items() if place == f"#{focused}"), self.pane):
            case "improving":
                return _sheet(
                    "Benchmarks that improve at every level", self._improving, self.question("matrix_improvements")
                )
            case "best":
                return _sheet("Levels over all benchmarks", self._levels, self.question("matrix_levels"))
            case "tests":
                tests = self.query_one(TestsPane)
                rows = list(tests.pair.rows) if tests.pair else []
                return _sheet(tests.title, rows, self.question("matrix_tests"))
            case _:
                title = f"Side by side at {at}, equal {self.basis}"
                return _sheet(title, self._rows_at(self.at), self.question("matrix_matched"))


def _is_of(benchmark: Benchmark, row: Matched) -> bool:
    return (benchmark.task, benchmark.metric, benchmark.filter, benchmark.num_fewshot, benchmark.version) == (
        row.task, row.metric, row.filter, row.num_fewshot, row.version,
    )  # fmt: skip


def _choice(one: Subject) -> str:
    return f"{one.model} · {one.pruned_with} · {one.conditions or 'conditions not known'}"


def _alike(known: list[Subject]) -> list[Subject]:
    """The latest group that was measured under the same conditions, base models with base models: unless asked for,
    nothing else is compared. What has no pruned level, as an exported file that was certified, is left out where
    others have.
    """
    groups: dict[Any, list[Subject]] = {}
    for row in [one for one in known if one.levels] or known:
        groups.setdefault((row.conditions, row.tuned), []).append(row)
    return max(groups.values(), key=lambda rows: (len(rows) > 1, max(row.latest for row in rows)))[:6]


def _sheet(title: str, rows: Sequence[Any], question: Question) -> Sheet | None:
    columns, values = table_of(rows, leave_out=("subject", "position"))
    return Sheet(title, columns, values, question.sql()) if values else None
