"""What Query keeps: statements beside each other in tabs, saved ones, and what was run before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset
from textual.widgets import Static

from tui.query.answer import Answer
from tui.query.dialogs import NameIt, choose_past, choose_saved
from tui.query.sql_editor import SqlEditor
from tui.query.store import QueryStore
from tui.shell.reading import ReadingScreen
from warehouse.exporters.tables import Table

_SHOWN = 24  # characters of a statement, in its tab


@dataclass(slots=True)
class Tab:
    """A statement and its answer. `ran` is what gave the answer, `opened` what the text was opened from."""

    text: str = ""
    at: tuple[int, int] = (0, 0)
    ran: str = ""
    opened: str = ""
    table: Table | None = None
    order: tuple[int, bool] | None = None
    cursor: Offset = field(default_factory=lambda: Offset(1, 0))
    said: object = ""
    wrong: bool = False


class KeepingScreen(ReadingScreen):
    """Has an editor `#sql`, a line `#query-said` and a title `#query-title`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "saved", "Saved", priority=True, tooltip="Open a saved query, shipped or your own"),
        Binding("ctrl+s", "save", "Save", priority=True, tooltip="Keep this statement under a name"),
        Binding("ctrl+r", "history", "History", priority=True, tooltip="Open a statement that was run before"),
        Binding("ctrl+n", "new_tab", "Tab", show=False, priority=True, tooltip="A new tab for another statement"),
        Binding("ctrl+pagedown", "tab(1)", "Next tab", show=False, priority=True, tooltip="The next tab"),
        Binding("ctrl+pageup", "tab(-1)", "Tab before", show=False, priority=True, tooltip="The tab before"),
        Binding("f4", "close_tab", "Close tab", show=False, priority=True, tooltip="Close this tab"),
    ]

    def __init__(self, store: QueryStore | None = None) -> None:
        super().__init__()
        self.store = store or QueryStore.default()
        self.answer = Answer(id="answer")
        self.ran = ""
        self._opened = ""
        self._tabs = [Tab()]
        self._tab = 0

    @property
    def running(self) -> bool:
        raise NotImplementedError

    def _say(self, message: str, *, good: bool = False) -> None:
        raise NotImplementedError

    # Tabs

    def _title(self) -> None:
        text = Text("Query", no_wrap=True, overflow="ellipsis")
        if len(self._tabs) == 1:
            text.append("  SQL that reads: nothing can be changed, no other file is opened", "not bold")
        else:
            here = self.query_one(SqlEditor).text
            for place, tab in enumerate(self._tabs):
                shown = " ".join((here if place == self._tab else tab.text).split()) or "empty"
                shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
                text.append("  ").append(f" {shown} ", "reverse" if place == self._tab else "not bold")
        self.query_one("#query-title", Static).update(text)

    def action_new_tab(self) -> None:
        if self._leave():
            self._tabs.append(Tab())
            self._show(len(self._tabs) - 1)

    def action_tab(self, step: int) -> None:
        if len(self._tabs) > 1 and self._leave():
            self._show((self._tab + step) % len(self._tabs))

    def action_close_tab(self) -> None:
        if len(self._tabs) == 1:
            self.notify("This is the only tab.")
        elif self._leave():
            del self._tabs[self._tab]
            self._show(min(self._tab, len(self._tabs) - 1))

    def _leave(self) -> bool:
        """Keep what is shown in its tab; not while a query runs, whose answer belongs there."""
        if self.running:
            self.notify("A query runs in this tab: esc cancels it.")
            return False
        editor, said = self.query_one(SqlEditor), self.query_one("#query-said", Static)
        self._tabs[self._tab] = Tab(
            editor.text, editor.cursor_location, self.ran, self._opened, self.answer.table, self.answer.order,
            self.answer.cursor, said.content, said.has_class("-wrong"),
        )  # fmt: skip
        return True

    def _show(self, place: int) -> None:
        self._tab, tab = place, self._tabs[place]
        editor, said = self.query_one(SqlEditor), self.query_one("#query-said", Static)
        editor.text, self.ran, self._opened = tab.text, tab.ran, tab.opened
        editor.move_cursor(tab.at)
        editor.focus()
        self.answer.put(tab.table, tab.order, tab.cursor)
        said.update(tab.said if isinstance(tab.said, (str, Text, Content)) else "")
        said.set_class(tab.wrong, "-wrong")
        self._title()

    # Saved queries and history

    @work(group="store")
    async def _load_store(self) -> None:
        said = await asyncio.to_thread(self.store.load)
        if said:
            self.notify(said, severity="warning")

    @work(group="store")
    async def _save_store(self) -> None:
        try:
            await asyncio.to_thread(self.store.save)
        except OSError as error:
            self.notify(f"Your queries could not be kept in {self.store.path}: {error.strerror}.", severity="warning")

    def action_saved(self) -> None:
        self.app.push_screen(choose_saved(self.store), self._put)

    def action_history(self) -> None:
        if self.store.history:
            self.app.push_screen(choose_past(self.store), self._put)
        else:
            self.notify("Nothing was run yet.")

    def _put(self, sql: str | None) -> None:
        if sql is not None:
            editor = self.query_one(SqlEditor)
            editor.text = self._opened = sql
            editor.focus()

    def unsaved(self) -> str:
        """As the dashboard asks before it closes: what was typed, and neither run, saved nor opened from there."""
        if not self.query(SqlEditor):
            return ""
        others = [tab for place, tab in enumerate(self._tabs) if place != self._tab]
        shown = Tab(self.query_one(SqlEditor).text, ran=self.ran, opened=self._opened)
        known = {text.strip() for text in (*self.store.history, *self.store.own.values())}
        lost = any(
            tab.text.strip() and tab.text.strip() not in known | {tab.ran.strip(), tab.opened.strip()}
            for tab in (shown, *others)
        )
        return "Query has a statement that was neither run nor saved." if lost else ""

    def action_save(self) -> None:
        sql = self.query_one(SqlEditor).text.strip()
        if not sql:
            self._say("There is no statement to save yet.")
            return

        def take(name: str | None) -> None:
            if name:
                self.store.own[name] = sql + "\n"
                self._save_store()
                self.notify(f"Saved as “{name}”: ctrl+o opens it.")

        self.app.push_screen(NameIt(), take)
