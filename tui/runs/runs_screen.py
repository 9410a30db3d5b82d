"""All runs, newest first, as they go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from platform import node
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable

from tui import format as fmt
from tui.format import levels_text
from tui.runs.empty import EmptyState
from tui.runs.live import LiveScreen
from tui.runs.order import Order, names
from tui.runs.record import RunRow
from tui.runs.replay import RECORDING
from tui.runs.run_grid import RunGrid
from tui.runs.snapshot import Snapshot
from tui.runs.states import advice, left_text, state_text, state_word
from tui.runs.sweep_keys import SweepKeys
from tui.runs.sweep_rows import SweepRow, grouped, sweeps_of
from tui.shell.choose import ChooseOne
from tui.shell.exporting import Sheet
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_footer import KeyFooter
from tui.widgets.words import Words
from warehouse.records.names import short_name
from warehouse.records.run_state import RunState
from warehouse.store import statements
from warehouse.text import one_line

# Columns and their widths, the gap to the next included, by the class of the terminal's width.
_NARROW = {"run": 14, "model": 15, "levels": 9, "state": 14, "progress": 9, "started": 9, "left": 7}
_NORMAL = {"run": 19, "model": 22, "levels": 10, "state": 14, "progress": 19, "started": 9, "left": 7}
_WIDE = {
    "run": 26, "model": 28, "method": 12, "levels": 10, "tasks": 20, "state": 15, "progress": 21, "started": 10,
    "left": 8,
}  # fmt: skip

_NUMBERS = frozenset({"progress", "started", "left"})  # they stand right, under headers that do

_PATIENCE = 0.3  # seconds: a cursor that goes through the list asks about no run that it passes


class RunsTable(DataTable[Text]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", tooltip="Open the run: its grid, rates, log and GPU"),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("g", "scroll_top", show=False),
        Binding("G", "scroll_bottom", show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.row_count) if action == "select_cursor" else super().check_action(action, parameters)


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
        Binding("o", "sort", "Sort", tooltip="Sort by a column, as a click on its header does; again turns it round"),
        Binding("escape", "clear_filter", "All runs", key_display="esc", tooltip="Show all runs again"),
        Binding("D", "demo", "Demo", show=False, tooltip="Without runs: measure the demo model"),
        Binding("I", "import_study", "Import the study", show=False, tooltip="Without runs: bring in the study"),
    ]

    def compose(self) -> ComposeResult:
        yield Words(id="runs-title", classes="title")
        with Vertical(id="list"):
            with Horizontal(id="filter"):
                yield FilterLine(placeholder="words of a name, model, state or method", compact=True)
                yield Words(id="count")
            yield RunsTable(id="runs", cursor_type="row", cell_padding=0, zebra_stripes=False)
            yield RunGrid(id="preview", patience=_PATIENCE)
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
        self.query_one("#empty").display = False
        self.query_one("#filter").display = False
        self.query_one("#preview").can_focus = False

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
        self._show_preview(snapshot)
        self.update_keys()

    def on_screen_suspend(self) -> None:
        if not isinstance(self.app.screen, LiveScreen | ModalScreen):
            self.host.feed.watch(None)

    def on_resize(self) -> None:
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
        """Of which database and machine the runs are, and how many."""
        text = Text("Runs", no_wrap=True, overflow="ellipsis")
        told = [one_line(self.host.database.name), node()]
        if not snapshot.loaded:
            told.append("reading…")
        elif snapshot.runs:
            running = sum(row.running for row in snapshot.runs)
            told.append(f"{len(snapshot.runs)} run{'s' * (len(snapshot.runs) != 1)}")
            told += [f"{running} at work"] if running else []
        if self._order != Order():
            told.append(f"by {self._order.column}{', turned round' if self._order.reverse else ''}")
        text.append("  " + " · ".join(told), "not bold")
        self.query_one("#runs-title", Words).say(text)

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
        if action == "sort":
            return self.is_composed and bool(self._rows)
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
        if sweep is not None:
            text.append(one_line(sweep.name), style="bold")
            text.append(f"  a sweep of {len(sweep.pieces)} runs\n", style=self.app.theme_variables["neutral"])
            text.append(one_line(sweep.advice()))
        elif row is not None:
            text.append(one_line(row.name), style="bold")
            text.append(f"  {one_line(row.model)}\n", style=self.app.theme_variables["neutral"])
            text.append(one_line(advice(row)))
        if problem:
            text.append(f"\n! {one_line(problem)}", style=self.app.theme_variables["loss"])
        self.query_one("#advice", Words).say(text)

    def _show_preview(self, snapshot: Snapshot) -> None:
        """The grid of the run under the cursor, where the terminal is high enough for both."""
        if not self.is_current:
            return
        row = self.chosen()
        wanted = row is not None and row.folder is not None and self.has_class("-high")
        self.host.feed.watch(row.run_id if row is not None and wanted else None)
        detail = snapshot.detail if snapshot.detail is not None and row is not None else None
        grid = self.query_one("#preview", RunGrid)
        if detail is not None and row is not None and detail.row.run_id == row.run_id:
            grid.show(detail)
            grid.ask_for_marks(self.host.database)
        elif not wanted and grid.row_count:
            grid.show_nothing()

    def _show_rows(self, rows: Sequence[RunRow]) -> None:
        table, driven = self.query_one(RunsTable), self.host.feed.snapshot.driven
        sweeps = sweeps_of(rows, driven)
        lines = grouped(rows, sweeps)
        columns, now = self._columns(lines), self.host.now()
        words = self.query_one(FilterLine).value.lower().split()
        # How long ago it was changes by the second for the latest run, by the minute for all.
        tick = now.timestamp() // (1 if rows and (now - rows[0].created_at).total_seconds() < 60 else 60)
        look = (
            tuple(columns.items()),
            self.app.theme_variables,
            tick,
            driven,
        )  # a theme has its colours a moment later
        if self._awaited is None and self._drawn_from is rows and self._drawn_as == (look, words):
            return
        self._drawn_from, self._drawn_as = rows, (look, words)
        self._sweeps = sweeps
        fitting = self._order.sorted(
            row for row in lines if _fits(row, words) or _has_one(sweeps.get(row.run_id), words)
        )
        shown, self._names = self._names, names(lines)
        if shown != self._names:
            self._lines = {}
        self.query_one("#count", Words).say(Text(f"{sum(row.pieces or 1 for row in fitting)} of {len(rows)} runs"))
        self._rows = {row.run_id: row for row in fitting}
        before, self._lines = self._lines, {}
        for row in fitting:
            drawn = before.get(row.run_id)
            if drawn is not None and drawn[0] is row and drawn[1] == look:
                line = drawn[2]
            else:
                line = [self._text(row, name, width, now) for name, width in columns.items()]
            self._lines[row.run_id] = (row, look, line)
        texts = {run_id: line for run_id, (_, _, line) in self._lines.items()}
        shape = (tuple(texts), tuple(columns.items()), self.app.theme, self._order)
        if (within := next((sweep for sweep in sweeps.values() if sweep.has(self._awaited)), None)) is not None:
            self._awaited = within.sweep
        if self._awaited in texts:
            self._selected, self._awaited = self._awaited, None
            self._shape = ()
        if shape == self._shape:
            for run_id, line in texts.items():
                if line is self._texts[run_id]:
                    continue
                for name, text, before in zip(columns, line, self._texts[run_id], strict=True):
                    if text != before:
                        table.update_cell(run_id, name, text)
            self._texts = texts
            return
        self._shape, self._texts = shape, texts
        selected = self._selected  # filling the table moves the cursor about
        table.clear(columns=True)
        for name, width in columns.items():
            heading = f"{name} {self._order.arrow}" if name == self._order.column and self._order != Order() else name
            table.add_column(heading.rjust(width - 1) if name in _NUMBERS else heading, width=width, key=name)
        for run_id, line in texts.items():
            table.add_row(*line, key=run_id)
        if selected in texts:
            table.move_cursor(row=list(texts).index(selected))

    def _columns(self, rows: Sequence[RunRow]) -> dict[str, int]:
        """Columns and their widths; room that no column needs goes to the names, as far as they are longer."""
        columns = dict(_NARROW if self.size.width < 100 else _NORMAL if self.size.width < 150 else _WIDE)
        if not any(row.origin == "run" for row in rows):
            del columns["left"]  # where nothing can ever be left to do
        room = self.size.width - 3 - sum(columns.values())
        longest = max(map(cell_len, names(rows).values()), default=0) + 1
        columns["run"] += max(min(room, longest - columns["run"]), 0)
        return columns

    def _text(self, row: RunRow, column: str, width: int, now: datetime) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        match column:
            case "run":
                text.append(one_line(self._names[row.run_id]), style="bold" if row.running else "")
            case "model":
                text.append(one_line(short_name(row.model)))
            case "method":
                text.append(row.pruned_with.upper())
            case "levels":
                text.append(levels_text(row.levels))
            case "tasks":
                text.append(f"{row.suite} suite" if row.suite else ", ".join(row.tasks))
            case "state":
                text = state_text(row, self.app.theme_variables)
            case "progress":
                text.append(self._progress(row, width))
            case "started":
                text.append(fmt.ago(row.created_at, now))
            case "left":
                text.append(left_text(row))
        text.truncate(width - 1, overflow="ellipsis")
        if column in _NUMBERS:
            text.pad_left(width - 1 - text.cell_len)
        return text

    def _progress(self, row: RunRow, width: int) -> str:
        if row.origin != "run":
            return f"{row.done} scores" if row.done else "–"
        cells = f"{row.done}/{row.total}" if row.total else "–"
        if width < 15:
            return cells
        if row.total is None and row.state != RunState.RUNNING:
            return cells
        return f"{fmt.bar(row.share, width - 10)} {cells}"


def _has_one(sweep: SweepRow | None, words: Sequence[str]) -> bool:
    """Whether a run of the sweep has the words."""
    return sweep is not None and any(_fits(piece, words) for piece in sweep.pieces)


def _fits(row: RunRow, words: Sequence[str]) -> bool:
    said = " ".join((row.name, row.model, row.pruned_with, state_word(row))).lower()
    return all(word in said or row.run_id.startswith(word) for word in words)
