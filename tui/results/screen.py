"""Results: what each level of pruning changed, as a heat map of model × level × benchmark."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.geometry import Offset
from textual.widgets import Input, Static

from tui.format import conditions_text
from tui.results.cell_facts import cell_facts
from tui.results.cell_screen import CellScreen
from tui.results.certainty import sentence
from tui.results.delta_matrix import DeltaMatrix
from tui.results.matrix import CHANCE, VIEWS, Matrix, View, at, searched, sorted_by, subject_name
from tui.results.matrix_export import COLUMNS, MatrixSheet, long_form
from tui.results.plot_screen import PlotScreen
from tui.results.plot_widget import PlotView
from tui.results.plots import benchmark_plot
from tui.results.sweeps_screen import SweepsScreen
from tui.shell.background import after_refresh
from tui.shell.choose import ChooseOne
from tui.shell.exporting import Sheet
from tui.shell.queries import Question, Rows, chosen
from tui.shell.reading import IMPORT, NO_RESULTS
from tui.widgets.filter_line import FilterLine
from tui.widgets.grid import Grid
from tui.widgets.key_footer import KeyFooter
from tui.widgets.top_line import TopLine
from warehouse.read.grid import Benchmark, Entry, Width, results
from warehouse.read.subjects import MetricChoice, Subject

_FIRST = 3  # how many models to show before anybody chose

_SAYS = {
    "value": "scores",
    "relative": "relative change, in % of the unpruned score",
    "absolute": "absolute change of the score",
    "significance": "significance: change in standard errors (σ)",
}


class ResultsScreen(SweepsScreen):
    """The delta matrix of the chosen models."""

    CSS_PATH = "results.tcss"
    PART = "results"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "v",
            "next_view",
            "View",
            tooltip="Scores, changes in percent, changes of the score, or changes in standard errors",
        ),
        Binding("V", "last_view", "View before", show=False, tooltip="The view before"),
        Binding(
            "enter", "details", "Details", show=False, tooltip="All metrics of the cell, and the samples behind it"
        ),
        Binding("P", "plot", "Plot", tooltip="Plot scores against levels or size"),
        Binding("m", "models", "Models", tooltip="Choose models, methods and conditions"),
        Binding("M", "metric", "Metric", tooltip="Choose the metric that a benchmark is shown by"),
        Binding("o", "sort", "Sort", tooltip="Sort by the column at the cursor: losses first, gains first, as listed"),
        Binding("slash", "search", "Filter", key_display="/", tooltip="Show some benchmarks only"),
        Binding("escape", "clear", "All", key_display="esc", tooltip="Show all benchmarks again"),
        IMPORT,
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view: View = "relative"
        self.picked: dict[str, str] = {}  # task → task|metric|filter
        self.sorting: tuple[Width, bool] | None = None
        self.filter = ""
        self._matrix = Matrix()
        self._drawn: tuple[Matrix, Benchmark, str] | None = None  # the plot beside the matrix

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Static(id="results-title", classes="title")
        yield Static(id="results-said", classes="said")
        yield Static(NO_RESULTS, id="results-empty", classes="empty")
        with Horizontal(id="results-body"):
            with Vertical(id="results-main"):
                yield DeltaMatrix(id="matrix")
                yield FilterLine(placeholder="benchmark, task or metric; esc clears", id="results-search", compact=True)
                yield Static(id="results-detail")
                yield Static(id="results-legend")
            with Vertical(id="results-side"):
                yield PlotView(id="results-plot")
                yield Static(id="results-facts")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(FilterLine).display = False
        if self._wanted is not None:
            after_refresh(self, self._wanted)
        # Watched, not told by message: what the cursor is on and the words about it are drawn in one frame.
        self.watch(self.query_one(DeltaMatrix), "cursor", self._tell, init=False)

    # Reading

    @property
    def has_figures(self) -> bool:
        return bool(self._matrix.rows)

    def first(self, known: list[Subject]) -> list[str]:
        # What has no pruned level, as an exported file that was certified, comes last.
        newest = sorted(known, key=lambda row: (row.levels > 0, row.latest), reverse=True)
        # Under other conditions other benchmarks were run: side by side, half of the table would be empty.
        alike = [row for row in newest if row.conditions == newest[0].conditions]
        wanted = {row.key for row in alike[:_FIRST]}
        return [row.key for row in known if row.key in wanted]

    def read(self) -> None:
        self.ask("matrix", [self.question()], self._show)

    def question(self, name: str = "matrix_rows", *, search: str = "", **more: object) -> Question:
        return chosen(name, self.subjects or [], picked=list(self.picked.values()), search=search, **more)

    def _show(self, answers: list[Rows]) -> None:
        first = not self._matrix.rows
        self._matrix = results(answers[0])
        self.show_body()
        self.draw()
        if first:
            grid = self.query_one(DeltaMatrix)
            grid.cursor = Offset(2, 0)  # the first pruned width
            if self.focused is None:
                grid.focus()

    def show_nothing(self) -> None:
        self._matrix = Matrix()
        super().show_nothing()

    # Drawing

    @property
    def shown(self) -> Matrix:
        """The matrix as filtered and sorted."""
        matrix = searched(self._matrix, self.filter) if self.filter else self._matrix
        if self.sorting is not None and self.sorting[0] in matrix.columns:
            matrix = sorted_by(matrix, self.sorting[0], losses_first=self.sorting[1])
        return matrix

    def draw(self) -> None:
        grid = self.query_one(DeltaMatrix)
        grid.show_matrix(self.shown, self.view)
        self.show_title(_SAYS[self.view])
        self.query_one("#results-legend", Static).update(self._legend())
        self._tell()

    def show_title(self, said: str) -> None:
        text = Text("Results", no_wrap=True, overflow="ellipsis")
        models = {width.subject: subject_name(width, self._matrix.columns) for width in self._matrix.columns}
        parts = [said] if said else []
        if self.sweep is not None and self._matrix.rows:
            parts.insert(0, self.sweep.called)
        if self._matrix.rows:
            known = len(self._known)
            parts.append(f"{len(models)} of {known} models" if known > len(models) else f"{len(models)} models")
            if len(models) == 1:
                parts[-1] = next(iter(models.values()))
            if self.filter:
                parts.append(f"filter “{self.filter}”: {len(self.shown.rows)} benchmarks")
            if self.sorting is not None:
                width, losses_first = self.sorting
                parts.append(f"{'losses' if losses_first else 'gains'} first at {width.label}")
        text.append("".join(f"  {part}" if i == 0 else f" · {part}" for i, part in enumerate(parts)), "not bold")
        self.query_one("#results-title", Static).update(text)

    def _legend(self) -> Text:
        theme = self.app.theme_variables
        return Text.assemble(
            ("▲", theme["gain"]), " better ", ("▼", theme["loss"]), " worse: beyond noise ",
            ("≈", theme["neutral"]), " within ",
            ("△", theme["gain"]), ("▽", theme["loss"]), " untested ",
            (CHANCE, theme["neutral"]), " at chance ",
            ("–", theme["neutral"]), " not measured",
            no_wrap=True, overflow="ellipsis",
        )  # fmt: skip

    def _tell(self) -> None:
        """The cell under the cursor, in words; and its benchmark's plot where there is room for it."""
        place = self.query_one(DeltaMatrix).place
        detail = self.query_one("#results-detail", Static)
        if place is None:
            detail.update(
                Text(f"No benchmark has “{self.filter}” in it: esc clears the filter." if self.filter else "")
            )
            return
        benchmark, width = place
        cell = self._matrix.at(*place)
        head = f"{benchmark.name}, {subject_name(width, self._matrix.columns)} {at(width)}: "
        detail.update(Text.assemble((head, "bold"), sentence(benchmark, width, cell)))
        if self.query_one("#results-side").display:
            drawn = (self._matrix, benchmark, self.app.current_theme.name)
            if drawn != self._drawn:
                self._drawn = drawn
                plot = benchmark_plot(self._matrix, benchmark, self.app.current_theme.dark)
                self.query_one(PlotView).draw(plot)
            facts = cell_facts(benchmark, width, cell, self.app.theme_variables["neutral"])
            self.query_one("#results-facts", Static).update(facts)

    def on_grid_cell_selected(self) -> None:
        self.action_details()

    def on_grid_header_selected(self, event: Grid.HeaderSelected) -> None:
        grid = self.query_one(DeltaMatrix)
        if event.column == 0:
            self.sorting = None
            self.draw()
        else:
            self._sort(grid.matrix.columns[event.column - 1])

    def on_resize(self) -> None:
        after_refresh(self, self._tell)

    # Actions

    def show_view(self, view: View) -> None:
        self.view = view
        self.draw()

    def action_next_view(self) -> None:
        self.show_view(VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)])

    def action_last_view(self) -> None:
        self.show_view(VIEWS[VIEWS.index(self.view) - 1])

    def action_details(self) -> None:
        place = self.query_one(DeltaMatrix).place
        if place is None:
            return
        cell = self._matrix.at(*place)
        if cell is None:
            self.notify(f"{place[0].name} was not measured at {place[1].label}.", severity="warning")
        else:
            benchmark = place[0]
            among = [
                Entry(benchmark, width, other)
                for width in self._matrix.columns
                if (other := self._matrix.at(benchmark, width)) is not None
            ]
            self.app.push_screen(CellScreen(Entry(*place, cell), among))

    def action_plot(self) -> None:
        if not self._matrix.rows:
            return
        place = self.query_one(DeltaMatrix).place
        benchmark = place[0] if place else self._matrix.rows[0]
        self.app.push_screen(PlotScreen(self._matrix, benchmark, self.question))

    def action_models(self) -> None:
        self.choose("Models to show", _choice)

    def show_run(self, run_id: str, name: str) -> None:
        """The models that a run has scores of, and no others."""

        if self._reader is None:  # not mounted yet
            self._wanted = lambda: self.show_run(run_id, name)
            return

        def show(answers: list[Rows]) -> None:
            subjects = [row["subject"] for row in answers[0]]
            if subjects:
                self.chose(subjects)
            else:
                self.notify(f"{name} has no scores to show here: measurements only, or later ones took their place.")

        self.ask("run", [Question("run_subjects", {"run_ids": [run_id]})], show)

    def chose(self, subjects: list[str]) -> None:
        super().chose(subjects)
        if subjects != self.subjects:
            self.subjects = subjects
            self.sorting = None
            self.read()
        elif self.has_figures:
            self.draw()  # which may be by no sweep any more

    def action_metric(self) -> None:
        place = self.query_one(DeltaMatrix).place
        if place is None:
            return
        benchmark = place[0]
        models = [one.partition("|")[0] for one in self.subjects or []]
        asked = Question("matrix_metrics", {"task": benchmark.task, "model_ids": models})
        self.ask("metrics", [asked], lambda answers: self._pick(benchmark, answers[0]))

    def _pick(self, benchmark: Benchmark, found: list[MetricChoice]) -> None:
        if len(found) < 2:
            self.notify(f"{benchmark.name} has one metric only: {benchmark.metric_name}.")
            return
        options = [
            (f"{benchmark.task}|{one.metric}|{one.filter}", _metric(one, first=one is found[0])) for one in found
        ]

        def take(key: str | None) -> None:
            if key is not None:
                self.picked[benchmark.task] = key
                self.read()

        now = f"{benchmark.task}|{benchmark.metric}|{benchmark.filter}"
        self.app.push_screen(ChooseOne(f"Metric of {benchmark.name}", options, now), take)

    def action_sort(self) -> None:
        place = self.query_one(DeltaMatrix).place
        if place is not None:
            self._sort(place[1])

    def _sort(self, width: Width) -> None:
        """Losses first, then gains first, then as listed."""
        if width.unpruned:
            self.notify("The unpruned model has no changes to sort by: choose another column.", severity="warning")
            return
        match self.sorting:
            case (now, True) if now == width:
                self.sorting = (width, False)
            case (now, False) if now == width:
                self.sorting = None
            case _:
                self.sorting = (width, True)
        self.draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "clear":
            return bool(self.query(FilterLine)) and self._filtering
        return super().check_action(action, parameters)

    @property
    def _filtering(self) -> bool:
        return bool(self.query_one(FilterLine).display)

    def action_search(self) -> None:
        search = self.query_one(FilterLine)
        search.display = True
        search.focus()
        self.refresh_bindings()

    def action_clear(self) -> None:
        search = self.query_one(FilterLine)
        search.value = ""
        search.display = False
        self.filter = ""
        self.query_one(DeltaMatrix).focus()
        self.refresh_bindings()
        self.draw()

    def on_input_changed(self, event: Input.Changed) -> None:
        self.filter = event.value.strip()
        self.draw()

    def action_to_list(self) -> None:
        self.query_one(FilterLine).display = bool(self.filter)
        self.query_one(DeltaMatrix).focus()
        self.refresh_bindings()

    # What others ask for

    def sheet(self) -> Sheet | None:
        """The matrix in long form, as data; as Markdown it is the table on the screen."""
        matrix = self.shown
        if not (values := long_form(matrix)):
            return None
        sql = self.question(search=self.filter).sql()
        return MatrixSheet("Change against the unpruned model", COLUMNS, values, sql, matrix, self.view)


def _choice(one: Subject) -> str:
    levels = f"{one.levels} level{'' if one.levels == 1 else 's'}"
    return f"{one.model} · {one.pruned_with} · {levels} · {conditions_text(one.conditions)}"


def _metric(one: MetricChoice, *, first: bool) -> str:
    name = one.metric if one.filter == "none" else f"{one.metric}, {one.filter}"
    notes = [f"{one.cells} scores"]
    if not one.with_stderr:
        notes.append("no standard errors")
    if first:
        notes.append("the headline metric")
    return f"{name}  ({', '.join(notes)})"
