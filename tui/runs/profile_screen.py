"""What the levels of a run cost: a table for each workload and way to answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from tui.host import host
from tui.runs.profile_table import HEADER, NUMBERS, drift_line, machine_line, tables
from warehouse.errors import UserError

if TYPE_CHECKING:
    from warehouse.read.profile import Profile

NOTHING = (
    "This run measured no cost.\n\n"
    "`prune-tui profile MODEL` measures what each level costs in time, memory and energy;\n"
    "`prune-tui run … --profile` does it behind the cells of a run."
)
_FIRST_OUT = ("weights", "drift", "of limit")  # where there is no room for all
_AROUND = 7  # columns that border, padding and scroll bar take


_WIDEST = 130


def fitting(rows: Sequence[tuple[str, ...]], room: int) -> list[int]:
    """The places of the columns that say anything of these rows, as many as `room` has width for."""
    widths = {
        at: max(len(name), *(len(row[at]) for row in rows)) + 2
        for at, name in enumerate(HEADER)
        if any(row[at] for row in rows)
    }
    for name in _FIRST_OUT:
        if sum(widths.values()) > room:
            widths.pop(HEADER.index(name), None)
    return list(widths)


class ProfileScreen(ModalScreen[None]):
    """Reads in a thread, since the file may be busy."""

    CSS = """
    ProfileScreen .dialog { width: 100%; max-width: 130; height: auto; max-height: 100%; padding: 0 1; }
    ProfileScreen VerticalScroll { height: auto; max-height: 100%; }
    ProfileScreen Static { height: auto; }
    ProfileScreen Label { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,dollar_sign,q", "dismiss", "Back", key_display="esc"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id
        self.profile: Profile | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "What each level costs"
            with VerticalScroll():
                yield Static("Reading…", id="profile", markup=False)
            yield Label("[b]↑↓[/b] more · [b]esc[/b] back", classes="muted")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.run_worker(self._read, thread=True)

    def on_resize(self) -> None:
        self._draw()

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def _read(self) -> None:
        from warehouse.read.profile import read_profile

        try:
            found = read_profile(host(self).database, self._run_id)
        except UserError as error:
            self.app.call_from_thread(self._say, str(error))
        else:
            self.app.call_from_thread(self._show, found)

    def _say(self, message: str) -> None:
        if self.is_mounted:
            self.query_one("#profile", Static).update(Text(message))

    def _show(self, found: Profile) -> None:
        self.profile = found
        self._draw()

    def _draw(self) -> None:
        if self.profile is None or not self.is_mounted:
            return
        if not self.profile.rows:
            self._say(NOTHING)
            return
        made = list(tables(self.profile))
        shown = fitting([row for _, rows in made for row in rows], min(self.size.width, _WIDEST) - _AROUND)
        parts: list[Text | Table] = []
        if self.profile.machine is not None:
            parts.append(Text(machine_line(self.profile.machine), style="dim"))
        if (drift := drift_line(self.profile)) is not None:
            parts.append(Text(drift, style="dim"))
        for title, rows in made:
            parts += [Text(), Text(title, style="bold"), _table(rows, shown)]
        self.query_one("#profile", Static).update(Group(*parts))


def _table(rows: list[tuple[str, ...]], shown: list[int]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for at in shown:
        table.add_column(HEADER[at], justify="right" if HEADER[at] in NUMBERS else "left", overflow="fold")
    for row in rows:
        table.add_row(*(row[at] for at in shown))
    return table
