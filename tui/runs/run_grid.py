"""A run's grid of tasks and levels, filling in as the run goes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import DataTable

from tui import format as fmt
from tui.results.matrix import CHANCE, at_chance
from tui.runs.record import RunDetail
from tui.runs.verdicts import Verdicts, guessed, read_verdicts, sign, verdict_of
from tui.shell import background
from tui.widgets.palette import variable
from tui.widgets.thin_bar import ThinBar
from warehouse.read.grid import UNPRUNED, Cell
from warehouse.read.run_grid import Line
from warehouse.records.level import level_label

View = Literal["value", "change", "both"]
VIEWS: tuple[View, ...] = ("both", "value", "change")

_VALUE, _CHANGE = 8, 8  # characters, a mark of chance included


class RunGrid(DataTable[Text]):
    """Benchmarks down, levels across. Enter on a group shows or hides its parts."""

    HELP = "Each cell is a task at a level: its score, and what changed against the unpruned model."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "cursor_left", show=False),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("l", "cursor_right", show=False),
    ]

    class Marked(Message):
        """The marks are those of Results now."""

    def __init__(self, *, id: str | None = None, patience: float = 0.0) -> None:  # noqa: A002
        """`patience`: the seconds for which a run must have been shown before Results is asked about it."""
        self._shape: tuple[object, ...] = ()
        self._versions: list[int] = []  # of the rows: how often each has changed
        self._drawn: dict[int, tuple[object, Strip]] = {}  # lines by their place, and what they depended on
        super().__init__(id=id, cursor_type="cell", fixed_columns=1, zebra_stripes=False, cell_padding=0)
        self.horizontal_scrollbar.renderer = ThinBar  # pyright: ignore[reportAttributeAccessIssue]
        self.view: View | None = None  # None: both, where there is room
        self._detail: RunDetail | None = None
        self.verdicts: Verdicts = {}
        self._patience = patience
        self._asked: tuple[str, tuple[int, int]] | None = None  # the run and the database's state they are of
        self._waiting: Timer | None = None
        self._open: set[str] = set()
        self._texts: dict[tuple[str, str], Text] = {}

    @property
    def view_shown(self) -> View:
        if self.view is not None:
            return self.view
        if self._detail is None:
            return "both"
        room = self.size.width - self._name_width()
        return "both" if len(self._detail.row.levels) * (_VALUE + _CHANGE + 3) <= room else "change"

    def show(self, detail: RunDetail) -> None:
        if self._detail is None or self._detail.row.run_id != detail.row.run_id:
            self.verdicts = {}
        self._detail = detail
        rows = self._visible(detail)
        shape = (detail.row.run_id, tuple(rows), detail.row.levels, self.view_shown, self._name_width(), self.app.theme)
        if shape != self._shape:
            self._rebuild(detail, rows)
            self._shape = shape
            return
        versions = sum(self._versions)
        for place, line in enumerate(rows):
            for level in detail.row.levels:
                text = self._text(detail.grid.cells[line, level], level, line.name)
                if text != self._texts[line.name, level]:
                    self._texts[line.name, level] = text
                    self._versions[place] += 1
                    self.update_cell(line.name, level, text)
        if versions != sum(self._versions):
            self._clear_caches()  # what DataTable keeps is out of date, and would be looked through for garbage

    def ask_for_marks(self, database: Path) -> None:
        """Take the marks that Results has for the run that is shown; asked when it, or the database, is another.

        While a run works that is left to the run: its marks stay provisional.
        """
        if self._detail is None or self._detail.row.running:
            return
        from tui.shell.queries import stamp  # the first screen is drawn without it

        if (now := stamp(database)) is None:
            return
        request = (self._detail.row.run_id, now)
        if request == self._asked:
            return
        self._asked = request
        if self._waiting is not None:
            self._waiting.stop()
        if self._patience:
            self._waiting = self.set_timer(self._patience, lambda: self._ask(database, request))
        else:
            self._ask(database, request)

    def _ask(self, database: Path, request: tuple[str, tuple[int, int]]) -> None:
        if request == self._asked:
            background.ask(
                self.app,
                lambda: read_verdicts(database, request[0]),
                lambda verdicts: self._show_marks(request, verdicts),
            )

    def _show_marks(self, request: tuple[str, tuple[int, int]], verdicts: Verdicts | None) -> None:
        if request != self._asked or not self.is_mounted:  # another run, or another state of the file, meanwhile
            return
        if verdicts is None:
            self._asked = None  # busy: asked again
        elif self._detail is not None:
            self.verdicts = verdicts
            self.show(self._detail)
            self.post_message(self.Marked())

    def render_line(self, y: int) -> Strip:
        """As DataTable's, which draws all of its lines anew when one cell has changed: here that line only."""
        row = y - self.header_height + round(self.scroll_y) if y >= self.header_height else -1
        depends_on = (
            row,
            self._versions[row] if 0 <= row < len(self._versions) else None,
            round(self.scroll_x),
            self.size.width,
            self.cursor_coordinate.column if self.cursor_coordinate.row == row else None,
            self.hover_coordinate.column if self._show_hover_cursor and self.hover_coordinate.row == row else None,
            self.get_pseudo_class_state(),
            self.rich_style,
            self.app.theme,
        )
        drawn_for, strip = self._drawn.get(y, (None, Strip([])))
        if drawn_for != depends_on:
            strip = super().render_line(y)
            self._drawn[y] = (depends_on, strip)
        return strip

    def on_resize(self) -> None:
        if self._detail is not None:
            self.show(self._detail)

    def selected(self) -> tuple[str, str] | None:
        """Level and name under the cursor."""
        if self._detail is None or not self.row_count:
            return None
        row, column = self.cursor_coordinate
        rows = self._visible(self._detail)
        if row >= len(rows):
            return None
        levels = self._detail.row.levels
        return levels[max(column - 1, 0)], rows[row].name

    def show_nothing(self) -> None:
        """Show no run, also when the size changes."""
        self._detail = self._asked = None
        self.clear(columns=True)

    def clear(self, columns: bool = False) -> Self:
        if columns:
            self._shape = ()
        self._versions.clear()
        self._drawn.clear()
        return super().clear(columns=columns)

    def on_data_table_cell_selected(self) -> None:
        cell = self.selected()
        if cell is None or self._detail is None:
            return
        name = cell[1]
        if any(line.name == name and line.parts for line in self._detail.grid.rows):
            self._open ^= {name}
            self.show(self._detail)

    def next_view(self) -> View:
        shown = self.view_shown
        self.view = VIEWS[(VIEWS.index(shown) + 1) % len(VIEWS)]
        if self._detail is not None:
            self.show(self._detail)
        return self.view

    def _visible(self, detail: RunDetail) -> list[Line]:
        shown, hidden_below = [], None
        for line in detail.grid.rows:
            if hidden_below is not None and line.depth > hidden_below:
                continue
            hidden_below = line.depth if line.parts and line.name not in self._open else None
            shown.append(line)
        return shown

    def _name_width(self) -> int:
        longest = (
            max((len(row.name) + 2 * row.depth + 2 for row in self._detail.grid.rows), default=10)
            if self._detail
            else 10
        )
        return min(longest + 1, 20 if self.size.width < 100 else 36)

    def _rebuild(self, detail: RunDetail, rows: list[Line]) -> None:
        before = self.cursor_coordinate
        self.clear(columns=True)
        self._texts.clear()
        self._versions = [0] * len(rows)
        self.add_column(Text("benchmark"), width=self._name_width(), key="name")
        for level in detail.row.levels:
            heading = UNPRUNED if level == detail.unpruned else level_label(level)
            width = self._column_width(level)
            self.add_column(heading.rjust(width - 1), width=width, key=level)
        for line in rows:
            mark = "" if not line.parts else "▾ " if line.name in self._open else "▸ "
            name = Text("  " * line.depth + mark + line.name, no_wrap=True, overflow="ellipsis")
            texts = [self._text(detail.grid.cells[line, level], level, line.name) for level in detail.row.levels]
            self._texts |= {(line.name, level): text for level, text in zip(detail.row.levels, texts, strict=True)}
            self.add_row(name, *texts, key=line.name)
        self.move_cursor(row=min(before.row, max(len(rows) - 1, 0)), column=max(before.column, 1))

    def _column_width(self, level: str) -> int:
        view = self.view_shown
        if view == "value" or (self._detail is not None and level == self._detail.unpruned):
            return _VALUE + 2  # “unpruned” and a space
        return _CHANGE + 1 if view == "change" else _VALUE + _CHANGE + 3

    def _text(self, cell: Cell, level: str, name: str) -> Text:
        colours = self.app.theme_variables
        text = Text(no_wrap=True)
        match cell.state:
            case "pending":
                text.append("·", style=colours["neutral"])
            case "partial":
                text.append(f"{cell.done}/{cell.total}", style=colours["neutral"])
            case "running":
                text.append(f"▶ {100 * (cell.share or 0):.0f}%", style=f"bold {colours['primary']}")
            case "failed":
                word = f"{cell.failed}/{cell.total}" if cell.total > 1 else "fail"
                text.append(f"✗ {word}", style=f"bold {colours['loss']}")
            case "done":
                self._score(text, cell, level, name)
        text.pad_left(max(self._column_width(level) - text.cell_len - 1, 0))
        return text

    def _score(self, text: Text, cell: Cell, level: str, name: str) -> None:
        assert self._detail is not None
        if cell.value is None:
            text.append("✓")
            return
        view = self.view_shown
        chance = at_chance(guessed(self.verdicts, name, cell))
        if view != "change" or level == self._detail.unpruned or cell.delta is None:
            text.append(f"{CHANCE if chance else ''}{fmt.value(cell.value, width=_VALUE)}")
            chance = False
        if view != "value" and level != self._detail.unpruned and cell.delta is not None:
            glyph = sign(cell, verdict_of(self.verdicts, level, name, cell))
            change = f"{CHANCE if chance else ''}{glyph}{fmt.change(cell.delta_pct)}"
            text.append(
                f"{change:>{_CHANGE + 2}}" if view == "both" else change,
                style=self.app.theme_variables[variable(glyph)],
            )
