"""All runs, newest first, as they go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable

from tui.runs.empty import EmptyState
from tui.runs.live import LiveScreen
from tui.runs.order import Order, names
from tui.runs.record import RunRow
from tui.runs.replay import RECORDING
from tui.runs.run_side import RunSide, side_width
from tui.runs.runs_table import NUMBERS, RunsTable, columns, line, shortened
from tui.runs.snapshot import Snapshot
from tui.runs.states import about, advice, state_word
from tui.runs.sweep_head import sweep_head
from tui.runs.sweep_keys import SweepKeys
from tui.runs.sweep_rows import SweepRow, grouped, sweeps_of
from tui.shell.choose import ChooseOne
from tui.shell.exporting import Sheet
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_footer import KeyFooter
from tui.widgets.top_line import TopLine
from tui.widgets.words import Words
from warehouse.store import statements
from warehouse.text import counted, one_line


class RunsScreen(SweepKeys):
    """The first screen."""

    TITLE = "Runs"
    HELP = (
        "Every run beside this database, newest first, and what was imported. Runs are processes of their own: "
        "closing the dashboard leaves them alone, and two dashboards may look at the same runs."
    )
    CSS_PATH = "runs.tcss"
    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", tooltip="Only runs whose name, model, … has these words"),
        Binding("space", "mark", "Mark", tooltip="Mark the run: stop, resume, delete and compare act on all marked"),
        Binding("B", "compare", "Beside", tooltip="The marked runs side by side in Compare"),
        Binding("o", "sort", "Sort", tooltip="Sort by a column, as a click on its header does; again turns it round"),
        Binding("escape", "clear_marks", "Unmark", key_display="esc", tooltip="Take all marks away"),
        Binding("escape", "clear_filter", "All runs", key_display="esc", tooltip="Show all runs again"),
        Binding("D", "demo", "Demo", show=False, tooltip="Without runs: measure the demo model"),
        Binding("I", "import_study", "Import the study", show=False, tooltip="Without runs: bring in the study"),
    ]

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Words(id="runs-title", classes="title")
        with Container(id="list"):
            with Vertical(id="listed", classes="panel"):
                with Horizontal(id="filter"):
                    yield FilterLine(placeholder="words of a name, model, state or method", compact=True)
                    yield Words(id="count")
                yield RunsTable(id="runs", cursor_type="row", cell_padding=0, zebra_stripes=False)
            yield RunSide(id="side", classes="panel")
        yield Words(id="advice")
        yield EmptyState(id="empty")
        yield KeyFooter()

    def on_mount(self) -> None:
        self._order = Order()
        self._names: dict[str, str] = {}
        self._rows: dict[str, RunRow] = {}
        self._sweeps: dict[str, SweepRow] = {}
        self._texts: dict[str, list[Text]] = {}
        self._lines: dict[str, tuple[RunRow, object, list[Text]]] = {}
        self._drawn_from: Sequence[RunRow] | None = None
        self._drawn_as: tuple[object, ...] = ()
        self._shape: tuple[object, ...] = ()
        self._selected: str | None = None  # the run under the cursor, also while the filter hides it
        self._awaited: str | None = None  # the run to go to once it is listed
        self._marks: set[str] = set()
        self.query_one("#empty").display = False
        self.query_one("#filter").display = False

    def chosen(self) -> RunRow | None:
        table = self.query_one(RunsTable)
        if not table.row_count:
            return None
        row = self._rows.get(list(self._texts)[table.cursor_row])
        return None if row is None or row.pieces else row

    def chosen_sweep(self) -> SweepRow | None:
        """The sweep under the cursor, whose runs are one line of the list."""
        table = self.query_one(RunsTable)
        return self._sweeps.get(list(self._texts)[table.cursor_row]) if table.row_count else None

    def select(self, run_id: str) -> None:
        """Put the cursor on a run, now or as soon as it is listed; the filter is taken away."""
        self._awaited = run_id
        self.action_clear_filter()

    async def show_snapshot(self, snapshot: Snapshot) -> None:
        empty = snapshot.loaded and not snapshot.runs
        self.query_one("#empty").display = empty
        self.query_one(EmptyState).show(snapshot.problem)
        self.query_one("#list").display = not empty
        self._show_title(snapshot)
        self._show_rows(snapshot.runs)
        if not empty and self.is_current and self.focused is None and not self._filtering:
            self.query_one(RunsTable).focus()
        self._show_advice(snapshot.problem)
        await self._show_side(snapshot)
        self.update_keys()

    def on_screen_suspend(self) -> None:
        if not isinstance(self.app.screen, LiveScreen | ModalScreen):
            self.host.feed.watch(None)

    def on_resize(self) -> None:
        self.query_one(RunSide).styles.width = side_width(self.size.width) if self.has_class("-wide") else None
        self._show_rows(self.host.feed.snapshot.runs)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        if event.row_key.value in self._rows and event.cursor_row == event.data_table.cursor_row:
            self._selected = event.row_key.value
        self._show_advice(self.host.feed.snapshot.problem)
        self.update_keys()

    def on_data_table_row_selected(self) -> None:
        if (sweep := self.chosen_sweep()) is not None:
            self.host.open_sweep(sweep.sweep)
            return
        row = self.chosen()
        if row is None:
            return
        if row.folder is None:
            self.host.show_results_of(row.run_id, row.name)
        elif row.state == "damaged":
            self.notify(row.note, severity="error")
        else:
            self.host.open_run(row.run_id)

    def _show_title(self, snapshot: Snapshot) -> None:
        """How many there are, and in which order."""
        text = Text("Runs", no_wrap=True, overflow="ellipsis")
        told = []
        if not snapshot.loaded:
            told.append("reading…")
        elif snapshot.runs:
            running = sum(row.running for row in snapshot.runs)
            told.append(counted(len(snapshot.runs), "run"))
            told += [f"{running} at work"] if running else []
            told += [f"{len(self._marks)} marked"] if self._marks else []
        if self._order != Order():
            told.append(f"by {self._order.column}{', turned round' if self._order.reverse else ''}")
        text.append("  " + " · ".join(told), "not bold")
        self.query_one("#runs-title", Words).say(text)
        listed, title = self.query_one("#listed"), " · ".join(["Runs", *told])
        if listed.border_title != title:  # else it is drawn anew
            listed.border_title = title

    # The order

    def action_sort(self) -> None:
        def take(column: str | None) -> None:
            if column is not None:
                self._sort(column)

        options = [(name, name) for name in self._columns(self.host.feed.snapshot.runs)]
        self.app.push_screen(ChooseOne("Sort by", options, self._order.column), take)

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        if event.column_key.value is not None:
            self._sort(event.column_key.value)

    def _sort(self, column: str) -> None:
        self._order = self._order.chosen(column)
        self._drawn_from = None
        self._show_title(self.host.feed.snapshot)
        self._show_rows(self.host.feed.snapshot.runs)

    # The filter

    @property
    def _filtering(self) -> bool:
        return bool(self.query_one("#filter").display)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("demo", "import_study") or (action == "replay" and self._has_none):
            return self._has_none
        if action in ("sort", "mark"):
            return self.is_composed and bool(self._rows)
        if action == "compare":
            return self.is_composed and len(self._marks) > 1
        if action == "clear_marks":
            return self.is_composed and bool(self._marks)
        if action in ("filter", "clear_filter"):
            return self.is_composed and (self._filtering or (action == "filter" and bool(self._rows)))
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        self.query_one("#filter").display = True
        self.query_one(FilterLine).focus()
        self._filter_changed()

    def action_clear_filter(self) -> None:
        self.query_one("#filter").display = False
        self.query_one(FilterLine).value = ""
        self.query_one(RunsTable).focus()
        self._filter_changed()

    def action_to_list(self) -> None:
        self.query_one(RunsTable).focus()

    def on_input_changed(self) -> None:
        self._filter_changed()

    def _filter_changed(self) -> None:
        self._show_rows(self.host.feed.snapshot.runs)
        self._show_advice(self.host.feed.snapshot.problem)
        self.refresh_bindings()

    @property
    def _has_none(self) -> bool:
        """Whether there are no runs, known for sure."""
        snapshot = self.host.feed.snapshot
        return snapshot.loaded and not snapshot.runs

    def action_demo(self) -> None:
        self.host.start_demo()

    def action_replay(self) -> None:
        """The run under the cursor, or where there is none a recording of the demo."""
        if self._has_none:
            self.host.open_replay(RECORDING, speed=1.0)
        else:
            super().action_replay()

    def action_import_study(self) -> None:
        self.host.import_published()

    def sheet(self) -> Sheet | None:
        if not self._rows:
            return None
        return Sheet(
            title="Runs",
            columns=(
                "run", "name", "model", "method", "levels", "state", "done", "failed", "cells", "started", "repair",
            ),
            rows=tuple(
                (
                    row.run_id, row.name, row.model, row.method, ", ".join(row.levels), str(row.state), row.done,
                    row.failed, row.total, row.created_at.isoformat(timespec="seconds"), row.repair,
                )
                for line in self._rows.values()
                for row in (self._sweeps[line.run_id].pieces if line.pieces else (line,))
            ),
            sql=statements.query("runs"),
        )  # fmt: skip

    def _show_advice(self, problem: str | None) -> None:
        row, sweep = self.chosen(), self.chosen_sweep()
        text = Text()
        beside = self.has_class("-wide")  # there it stands beside the list
        if sweep is not None and not beside:
            text = sweep_head(sweep, self.app.theme_variables)
        elif row is not None and not beside:
            text.append(one_line(row.name), style="bold")
            text.append(f"  {about(row)}\n", style=self.app.theme_variables["neutral"])
            text.append(one_line(advice(row)))
        if problem:
            text.append(f"{chr(10) if text else ''}! {one_line(problem)}", style=self.app.theme_variables["loss"])
        self.query_one("#advice", Words).say(text)
        self.query_one("#advice").display = bool(text)

    async def _show_side(self, snapshot: Snapshot) -> None:
        """The run under the cursor, where the terminal has room for it."""
        if not self.is_current:
            return
        row, sweep = self.chosen(), self.chosen_sweep()
        if sweep is not None and self.has_class("-wide"):
            row = sweep.shown
        roomy = self.has_class("-high") or self.has_class("-wide")
        self.host.feed.watch(row.run_id if row is not None and row.folder is not None and roomy else None)
        if roomy:
            await self.query_one(RunSide).show(row, snapshot, self.host.database, sweep)

    # Marks

    def marked(self) -> list[RunRow]:
        return [row for row in self.host.feed.snapshot.runs if row.run_id in self._marks]

    def unmark(self) -> None:
        self._mark(set())

    def _mark(self, marks: set[str]) -> None:
        self._marks = marks
        self._drawn_from = None
        self._show_title(self.host.feed.snapshot)
        self._show_rows(self.host.feed.snapshot.runs)
        self.refresh_bindings()

    def action_mark(self) -> None:
        """The run under the cursor, or all of the sweep's; where they are marked, no more."""
        table = self.query_one(RunsTable)
        if table.row_count:
            ids = self._ids(self._rows[list(self._texts)[table.cursor_row]])
            self._mark(self._marks - ids if ids <= self._marks else self._marks | ids)
            table.action_cursor_down()

    def _ids(self, line: RunRow) -> set[str]:
        """The runs that a line of the list stands for."""
        return {piece.run_id for piece in self._sweeps[line.run_id].pieces} if line.pieces else {line.run_id}

    def action_clear_marks(self) -> None:
        self.unmark()

    def action_compare(self) -> None:
        self.host.compare_runs([row.run_id for row in self.marked()])

    def _show_rows(self, rows: Sequence[RunRow]) -> None:
        table, driven = self.query_one(RunsTable), self.host.feed.snapshot.driven
        self._marks &= {row.run_id for row in rows}
        sweeps = sweeps_of(rows, driven)
        lines = grouped(rows, sweeps)
        widths, now = self._columns(lines), self.host.now()
        words = self.query_one(FilterLine).value.lower().split()
        # How long ago it was changes by the second for the latest run, by the minute for all.
        tick = now.timestamp() // (1 if rows and (now - rows[0].created_at).total_seconds() < 60 else 60)
        look = (tuple(widths.items()), self.app.theme_variables, tick, driven)  # a theme has its colours a moment later
        if self._awaited is None and self._drawn_from is rows and self._drawn_as == (look, words):
            return
        self._drawn_from, self._drawn_as = rows, (look, words)
        self._sweeps = sweeps
        fitting = self._order.sorted(
            row for row in lines if _fits(row, words) or _has_one(sweeps.get(row.run_id), words)
        )
        shown, self._names = self._names, shortened(names(lines), widths["run"] - 1)
        if shown != self._names:
            self._lines = {}
        self.query_one("#count", Words).say(
            Text(f"{sum(row.pieces or 1 for row in fitting)} of {counted(len(rows), 'run')}")
        )
        self._rows = {row.run_id: row for row in fitting}
        before, self._lines = self._lines, {}
        for row in fitting:
            drawn, state = before.get(row.run_id), (look, self._ids(row) <= self._marks)
            if drawn is not None and drawn[0] is row and drawn[1] == state:
                texts_of_row = drawn[2]
            else:
                name = self._names[row.run_id]
                texts_of_row = line(row, name, widths, now, self.app.theme_variables, marked=state[1])
            self._lines[row.run_id] = (row, state, texts_of_row)
        texts = {run_id: drawn for run_id, (_, _, drawn) in self._lines.items()}
        shape = (tuple(texts), tuple(widths.items()), self.app.theme, self._order)
        if (within := next((sweep for sweep in sweeps.values() if sweep.has(self._awaited)), None)) is not None:
            self._awaited = within.sweep
        if self._awaited in texts:
            self._selected, self._awaited = self._awaited, None
            self._shape = ()
        if shape == self._shape:
            for run_id, drawn in texts.items():
                if drawn is self._texts[run_id]:
                    continue
                for name, text, old in zip(widths, drawn, self._texts[run_id], strict=True):
                    if text != old:
                        table.update_cell(run_id, name, text)
            self._texts = texts
            return
        self._shape, self._texts = shape, texts
        selected = self._selected  # filling the table moves the cursor about
        table.clear(columns=True)
        for name, width in widths.items():
            heading = f"{name} {self._order.arrow}" if name == self._order.column and self._order != Order() else name
            table.add_column(heading.rjust(width - 1) if name in NUMBERS else heading, width=width, key=name)
        for run_id, drawn in texts.items():
            table.add_row(*drawn, key=run_id)
        if selected in texts:
            table.move_cursor(row=list(texts).index(selected))

    def _columns(self, rows: Sequence[RunRow]) -> dict[str, int]:
        room = self.size.width - 3
        if beside := self.has_class("-wide"):
            room -= side_width(self.size.width)
        if self.has_class("-high"):
            room -= 2  # the panel's borders
        return columns(rows, names(rows), room, beside=beside)


def _has_one(sweep: SweepRow | None, words: Sequence[str]) -> bool:
    """Whether a run of the sweep has the words."""
    return sweep is not None and any(_fits(piece, words) for piece in sweep.pieces)


def _fits(row: RunRow, words: Sequence[str]) -> bool:
    said = " ".join((row.name, row.model, row.pruned_with, state_word(row))).lower()
    return all(word in said or row.run_id.startswith(word) for word in words)
