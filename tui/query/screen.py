"""Query: any question in SQL, read-only and locked down, answered by a process of its own that can be killed."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.geometry import Offset
from textual.reactive import var
from textual.widgets import OptionList, Static, Tree

from tui.format import duration
from tui.host import host
from tui.query.catalog import Catalog
from tui.query.fetch import Fetch
from tui.query.keeping import KeepingScreen
from tui.query.sql_editor import CompletionList, SqlEditor
from tui.query.store import QueryStore
from tui.shell.exporting import Sheet
from tui.shell.queries import Question, Rows
from tui.widgets.key_footer import KeyFooter
from tui.widgets.top_line import TopLine
from warehouse.commands import hint
from warehouse.console.waiting import Waiting
from warehouse.exporters.tables import Table
from warehouse.text import counted

ROWS = 10_000  # rows fetched at first, and more each time the cursor comes to the last of them
MOST_ROWS = 200_000  # kept to be looked at; an export fetches all
_PLACE = re.compile(r" \(line (\d+)(?:, column (\d+))?\)$")

_HINT = (
    "Write one SQL statement; f5 or ctrl+j runs it. ctrl+o opens saved queries, ctrl+r what ran before.\n"
    "Views to start from: headline_metrics, baseline_deltas, size_comparison, best_level, level_scores."
)


_NO_DATABASE = "There is no database yet"


class QueryScreen(KeepingScreen):
    """An editor above, the answer below, tables and columns beside them."""

    CSS_PATH = "query.tcss"
    BEGINS_IN_EDITOR = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+j,ctrl+enter", "run", "Run", key_display="f5", priority=True, tooltip="Run the statement"),
        Binding("escape", "cancel", "Cancel", tooltip="End the query that runs"),
        Binding("escape", "leave", "Leave", tooltip="Out of the statement, to the answer; then 1 to 5 go elsewhere"),
        Binding("escape", "edit", "Edit", tooltip="Back to the statement"),
        Binding("ctrl+t", "tables", "Tables", priority=True, tooltip="Show or hide tables and columns"),
        Binding("ctrl+e", "export", "Export", show=False, tooltip="Save the whole answer, or a picture of the screen"),
        Binding("o", "sort", "Sort", show=False, tooltip="Sort the answer by the column at the cursor"),
        Binding("enter", "look", "Whole value", show=False, tooltip="Show the whole value of a cell"),
        Binding("P", "plot", "Plot", tooltip="Plot the answer: the column at the cursor against another number"),
        Binding("w", "why", "Why", show=False, tooltip="Where the number of the row at the cursor came from"),
    ]

    _fetch: var[Fetch | None] = var(None, bindings=True)
    """The query that runs, where one does: meanwhile the answer before is dimmed."""

    def __init__(self, store: QueryStore | None = None) -> None:
        super().__init__(store)
        self._wanted: str | None = None
        self._processes = Waiting()

    @property
    def table(self) -> Table | None:
        return self.answer.table

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Static(id="query-title", classes="title")
        yield Static(id="query-reading", classes="said")
        with Horizontal(id="query-body"):
            yield Catalog(id="query-tables")
            with Vertical(id="query-main"):
                yield SqlEditor(id="sql")
                yield Static(id="query-said")
                yield self.answer
        yield CompletionList(id="completions")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one("#query-reading").display = False
        self.query_one(SqlEditor).popup = self.query_one(CompletionList)
        self.query_one("#query-said", Static).update(Text(_HINT, self.app.theme_variables["neutral"]))
        self._title()
        self.query_one(SqlEditor).focus()
        self._load_store()
        self._begin_process()
        self.set_interval(0.25, self._tick)
        self.watch(self.answer, "cursor", self._scrolled, init=False)
        if self._wanted is not None:
            self.query_one(SqlEditor).text = self._wanted

    # Tables and columns

    def reload(self) -> None:
        if self.database.exists():
            self.ask("names", [Question("console_names")], self._know)
        else:
            brings = hint("import", "published", db=self.database)
            self._say(f"{_NO_DATABASE}: n starts a run, or {brings} brings in the study.")

    def _know(self, answers: list[Rows]) -> None:
        if str(self.query_one("#query-said", Static).content).startswith(_NO_DATABASE):
            self._say(_HINT, good=True)  # there is one now
        sources = {source.name: source for source in answers[0]}
        editor = self.query_one(SqlEditor)
        if sources != editor.sources:
            editor.sources = sources
            self.query_one(Catalog).show(sources.values())

    def said(self, message: str) -> None:
        line = self.query_one("#query-reading", Static)
        line.display = bool(message)
        line.update(Text(message))

    def on_tree_node_selected(self, event: Tree.NodeSelected) -> None:
        if isinstance(event.node.data, str) and not event.node.allow_expand:
            self.query_one(SqlEditor).insert(event.node.data)

    def action_tables(self) -> None:
        catalog = self.query_one(Catalog)
        catalog.display = not catalog.display
        (catalog if catalog.display else self.query_one(SqlEditor)).focus()

    # Completion

    def on_sql_editor_wants(self, event: SqlEditor.Wants) -> None:
        at = self.query_one(SqlEditor).cursor_screen_offset
        self.query_one(CompletionList).offer(event.completions, Offset(at.x, at.y), (self.size.width, self.size.height))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        popup = self.query_one(CompletionList)
        if event.option_list is popup and popup.chosen is not None:
            self.query_one(SqlEditor).take(popup.chosen)

    # Running

    @property
    def running(self) -> bool:
        return self._fetch is not None

    def open_sql(self, statement: str) -> None:
        """Put a statement into the editor and run it: what other screens call."""
        if not self.is_mounted:
            self._wanted = statement
            return
        editor = self.query_one(SqlEditor)
        editor.text = statement
        editor.move_cursor((0, 0))
        editor.focus()
        self.action_run()

    def action_run(self) -> None:
        self.query_one(SqlEditor).call_later(self._run)  # after what was typed before the key

    def _run(self) -> None:
        editor = self.query_one(SqlEditor)
        sql = editor.text.strip()
        if not sql:
            self._say("There is no statement to run yet.")
            return
        self.query_one(CompletionList).display = False
        editor.point_at(None, None)
        self.ran = editor.text
        self.store.remember(sql)
        self._save_store()
        self._begin(Fetch(editor.text, ROWS))
        self._tick()

    def watch__fetch(self, fetch: Fetch | None) -> None:
        self.answer.set_class(fetch is not None, "-stale")

    def _begin(self, fetch: Fetch) -> None:
        if self._fetch is not None:
            self._fetch.cancel()
        self._fetch = fetch
        self._answer(fetch)

    @work(thread=True, group="console")
    def _begin_process(self) -> None:
        self._prepare()

    def _prepare(self) -> None:
        """Have a process for the next statement; whether one can be had is said when there is one to run."""
        with suppress(OSError):
            self._processes.prepare()

    @work(thread=True, group="console")
    def _answer(self, fetch: Fetch) -> None:
        from warehouse.console.console import CancelledError
        from warehouse.errors import UserError

        try:
            table = fetch.table(self.database, self._processes)
        except CancelledError:
            self.app.call_from_thread(self._cancelled, fetch)
        except (UserError, OSError) as error:
            self.app.call_from_thread(self._failed, str(error), fetch)
        else:
            self.app.call_from_thread(self._answered, table, fetch)
        self._prepare()

    def _answered(self, table: Table, fetch: Fetch) -> None:
        if fetch is not self._fetch:
            return
        took = fetch.seconds
        self._fetch = None
        if not fetch.for_export and fetch.cursor is None:
            self.answer.order = None
        self.answer.show_table(table, cursor=fetch.cursor)
        rows = counted(len(table.rows), "row")
        if table.truncated:
            more = "G reads on; " if len(table.rows) < MOST_ROWS else ""
            rows = f"the first {rows}; {more}ctrl+e exports all of them"
        self._say(f"{rows} · {counted(len(table.columns), 'column')} · {took:.2f} s", good=True)
        self._title()
        if fetch.for_export:
            host(self).action_export()

    def _scrolled(self, cursor: Offset) -> None:
        """At the last row fetched, fetch more: the statement runs again, so that all rows are of one answer."""
        table = self.table
        if table is None or not table.truncated or self._fetch is not None or self.answer.order is not None:
            return
        if len(table.rows) - 1 > cursor.y or len(table.rows) >= MOST_ROWS:
            return
        self._begin(Fetch(self.ran, min(len(table.rows) + ROWS, MOST_ROWS), cursor))

    def _failed(self, message: str, fetch: Fetch) -> None:
        if fetch is not self._fetch:
            return
        self._fetch = None
        place = _PLACE.search(message)
        kept = " The last answer stays below." if self.table is not None else ""
        self._say(f"{message}{kept}")
        if place is not None:
            self.query_one(SqlEditor).point_at(int(place[1]), int(place[2]) if place[2] else None)
            self.query_one(SqlEditor).focus()

    def _cancelled(self, fetch: Fetch) -> None:
        if fetch is self._fetch:
            self._fetch = None
            self._say("Cancelled: the query's process was ended.")

    def _tick(self) -> None:
        """How long the query has been at it."""
        if self._fetch is not None:
            self._say(f"Running… {duration(self._fetch.seconds)} · esc cancels", good=True)

    def on_unmount(self) -> None:
        self.action_cancel()
        self._processes.close()

    # The answer

    def action_sort(self) -> None:
        self.answer.sort_at_cursor()

    def action_plot(self) -> None:
        from tui.query.answer_plot import open_plot

        open_plot(self.app, self.table, self.answer.cursor.x - 1)

    def action_why(self) -> None:
        from tui.results.why_screen import WhyScreen, wanted
        from warehouse.errors import UserError

        if (row := self.answer.row()) is None:
            return
        try:
            self.app.push_screen(WhyScreen(wanted(row)))
        except UserError as error:
            self.notify(str(error), severity="warning")

    def action_look(self) -> None:
        self.answer.action_select()

    # Keys that go between parts of the screen

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "cancel":
                return self.running
            case "leave":
                return not self.running and isinstance(self.focused, SqlEditor)
            case "edit" | "look" | "plot":
                return not isinstance(self.focused, SqlEditor)
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        if self._fetch is not None:
            self._fetch.cancel()

    def action_leave(self) -> None:
        if self.table is not None:
            self.answer.focus()
        elif self.query_one(Catalog).display:
            self.query_one(Catalog).focus()
        else:
            self.set_focus(None)

    def action_edit(self) -> None:
        self.query_one(SqlEditor).focus()

    def _say(self, message: str, *, good: bool = False) -> None:
        line = self.query_one("#query-said", Static)
        line.update(Text(message))
        line.set_class(not good, "-wrong")

    # Taking it along

    def sheet(self) -> Sheet | None:
        table = self.table
        if table is None or not table.columns:
            return None
        part = f" (the first {counted(len(table.rows), 'row')})" if table.truncated else ""
        return Sheet(f"Answer{part}", tuple(table.columns), tuple(table.rows), self.ran)

    def action_export(self) -> None:
        """Export the answer; where only its first rows were fetched, fetch all of them first."""
        if self.table is not None and self.table.truncated:
            self._begin(Fetch(self.ran, None))
        else:
            host(self).action_export()
