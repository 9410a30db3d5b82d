"""A table that draws only the lines in sight, with its first columns and its header held in place.

It asks a `GridModel` for the cells it shows, so a million rows cost as much as thirty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size, Spacing
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.widgets.thin_bar import ThinBar

Align = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A column: the lines of its heading, and its width in cells, without the gap of one after it."""

    heading: tuple[str, ...]
    width: int
    align: Align = "right"


class GridModel(Protocol):
    """What a grid shows. `fixed` columns on the left stay in sight, and the cursor does not enter them."""

    columns: Sequence[GridColumn]
    fixed: int

    def __len__(self) -> int: ...

    def cell(self, row: int, column: int) -> tuple[str, Style | None]: ...


class NoRows:
    columns: Sequence[GridColumn] = ()
    fixed = 0

    def __len__(self) -> int:
        return 0

    def cell(self, row: int, column: int) -> tuple[str, Style | None]:
        raise IndexError(row)


class Grid(ScrollView, can_focus=True):
    """Move with arrows or hjkl; `CellSelected` comes on enter or a second click, `HeaderSelected` on a heading."""

    DEFAULT_CSS = """
    Grid {
        height: 1fr;
        scrollbar-size: 1 1;
        scrollbar-color: $border-blurred;
        scrollbar-color-hover: $primary;
        scrollbar-color-active: $primary;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
        & > .grid--header { background: $panel; color: $foreground; text-style: bold; }
        & > .grid--fixed { color: $foreground; }
        & > .grid--cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
        & > .grid--blurred { background: $block-cursor-blurred-background; color: $foreground; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"grid--header", "grid--fixed", "grid--cursor", "grid--blurred"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "Up", show=False),
        Binding("down,j", "move(1, 0)", "Down", show=False),
        Binding("left,h", "move(0, -1)", "Left", show=False),
        Binding("right,l", "move(0, 1)", "Right", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "to_column(False)", "First column", show=False),
        Binding("end", "to_column(True)", "Last column", show=False),
        Binding("ctrl+home,g", "to_row(False)", "First row", show=False),
        Binding("ctrl+end,G", "to_row(True)", "Last row", show=False),
        Binding("enter", "select", "Details", show=False),
    ]

    cursor: reactive[Offset] = reactive(Offset(0, 0))  # x: column, y: row
    by_row: bool = False
    whole_cells: bool = False  # leave out what is only partly in sight

    class Moved(Message):
        """The cursor is on another cell."""

        def __init__(self, grid: Grid) -> None:
            super().__init__()
            self.grid = grid

        @property
        def control(self) -> Grid:
            return self.grid

    class CellSelected(Moved):
        """Enter, or a click on the cell under the cursor."""

    class HeaderSelected(Message):
        """A click on the heading of `column`."""

        def __init__(self, grid: Grid, column: int) -> None:
            super().__init__()
            self.grid = grid
            self.column = column

        @property
        def control(self) -> Grid:
            return self.grid

    def __init__(self, *, by_row: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.by_row = by_row
        self.model: GridModel = NoRows()
        self._starts: list[int] = [0]
        self._header_height = 0
        self.horizontal_scrollbar.renderer = ThinBar  # pyright: ignore[reportAttributeAccessIssue]

    def show(self, model: GridModel, *, cursor: Offset | None = None) -> None:
        """Show other cells. The cursor stays where it was as far as there is something there."""
        self.model = model
        self._starts = [0]
        for column in model.columns:
            self._starts.append(self._starts[-1] + column.width + 1)
        self._header_height = max((len(column.heading) for column in model.columns), default=0)
        # Without the gap after the last column: it needs no scrolling to.
        self.virtual_size = Size(max(self._starts[-1] - 1, 0), len(model) + self._header_height)
        self.cursor = self.validate_cursor(self.cursor if cursor is None else cursor)
        self.call_after_refresh(self._scroll_to_cursor)
        self.refresh()

    @property
    def lines(self) -> int:
        """The lines that all of it takes, with the scrollbar below where it is wider than its place."""
        return self.virtual_size.height + (self.virtual_size.width > self.outer_size.width > 0)

    def bound_height(self) -> None:
        """As high as its lines at most; whether a scrollbar is below them is known once it has been laid out."""

        def bound() -> None:
            self.styles.max_height = self.lines

        bound()
        self.call_after_refresh(bound)

    def validate_cursor(self, cursor: Offset) -> Offset:
        columns = len(self.model.columns)
        first = min(self.model.fixed, max(columns - 1, 0))
        return Offset(
            min(max(cursor.x, first), max(columns - 1, first)), min(max(cursor.y, 0), max(len(self.model) - 1, 0))
        )

    def watch_cursor(self, old: Offset, new: Offset) -> None:
        if old != new:
            self.refresh()
            self._scroll_to_cursor()
            self.post_message(self.Moved(self))

    def on_resize(self) -> None:
        self._scroll_to_cursor()

    def _scroll_to_cursor(self) -> None:
        if not len(self.model) or not self.size.width:  # nothing to scroll in yet: on_resize comes back to it
            return
        x, width = self._starts[self.cursor.x], self.model.columns[self.cursor.x].width
        fixed = self._starts[self.model.fixed]
        cell = Region(x, self.cursor.y + self._header_height, min(width, self.size.width), 1)
        if self.by_row:
            cell = Region(round(self.scroll_offset.x) + fixed, cell.y, 1, 1)
        self.scroll_to_region(cell, spacing=Spacing(self._header_height, 0, 0, fixed), animate=False, force=True)

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.rich_style
        shown = self._in_sight(width)
        if y < self._header_height:
            style = base + self.get_component_rich_style("grid--header", partial=True)
            last = y == self._header_height - 1
            cells = [
                self._blank(index, style)
                if last and self._cut(index, width)
                else [Segment(self._heading(index, y), style)]
                for index in shown
            ]
            return self._across(shown, cells, width, style)
        row = y - self._header_height + round(self.scroll_offset.y)
        if row >= len(self.model):
            return Strip.blank(width, base)
        cells = [
            self._blank(index, base) if self._cut(index, width) else self._cell(row, index, base) for index in shown
        ]
        return self._across(shown, cells, width, base)

    def _cut(self, index: int, width: int) -> bool:
        """Whether a column is not in sight whole: part of a number would be another number."""
        if index < self.model.fixed or not self.whole_cells:
            return False
        left, fixed = round(self.scroll_offset.x), self._starts[self.model.fixed]
        return self._starts[index] < left + fixed or self._starts[index + 1] - 1 > left + width

    def _blank(self, index: int, style: Style) -> list[Segment]:
        return [Segment(" " * (self.model.columns[index].width + 1), style)]

    def _in_sight(self, width: int) -> list[int]:
        fixed, left = self.model.fixed, round(self.scroll_offset.x)
        start = self._starts[fixed] + left
        return [
            *range(fixed),
            *(
                index
                for index in range(fixed, len(self.model.columns))
                if self._starts[index + 1] > start and self._starts[index] < left + width
            ),
        ]

    def _heading(self, index: int, line: int) -> str:
        column = self.model.columns[index]
        lines = ("",) * (self._header_height - len(column.heading)) + column.heading
        text = lines[line]
        if cell_len(text) == column.width + 1:  # part of a name that goes on over the next column
            return text
        return _fit(text, column.width, column.align) + " "

    def _cell(self, row: int, index: int, base: Style) -> list[Segment]:
        column = self.model.columns[index]
        text, style = self.model.cell(row, index)
        own = base + style if style is not None else base
        gap = base
        if row == self.cursor.y and (index == self.cursor.x or self.by_row):
            name = "grid--cursor" if self.has_focus else "grid--blurred"
            own += self.get_component_rich_style(name, partial=True)
            if self.by_row:
                gap = own
        elif index < self.model.fixed and row == self.cursor.y:
            own += Style(bold=True)
        return [Segment(_fit(text, column.width, column.align), own), Segment(" ", gap)]

    def _across(self, shown: list[int], cells: list[list[Segment]], width: int, base: Style) -> Strip:
        """Fixed columns first, then the part of the others that is scrolled into sight."""
        fixed, left = self.model.fixed, round(self.scroll_offset.x)
        start = self._starts[fixed]
        head = Strip([segment for cell in cells[:fixed] for segment in cell])
        tail = Strip([segment for cell in cells[fixed:] for segment in cell])
        offset = start + left - self._starts[shown[fixed]] if len(shown) > fixed else 0
        tail = tail.crop(offset, offset + max(width - start, 0))
        return Strip.join([head, tail]).crop(0, width).extend_cell_length(width, base)

    # Moving

    def action_move(self, rows: int, columns: int) -> None:
        if columns and self.by_row:
            self.scroll_relative(x=columns * 8, animate=False)
            return
        self.cursor = Offset(self.cursor.x + columns, self.cursor.y + rows)

    def action_page(self, direction: int) -> None:
        self.cursor = Offset(
            self.cursor.x, self.cursor.y + direction * max(self.size.height - self._header_height - 1, 1)
        )

    def action_to_column(self, last: bool) -> None:
        if self.by_row:
            self.scroll_to(x=self.max_scroll_x if last else 0, animate=False)
            return
        self.cursor = Offset(len(self.model.columns) - 1 if last else 0, self.cursor.y)

    def action_to_row(self, last: bool) -> None:
        self.cursor = Offset(self.cursor.x, len(self.model) - 1 if last else 0)

    def action_select(self) -> None:
        if len(self.model):
            self.post_message(self.CellSelected(self))

    def on_click(self, event: events.Click) -> None:
        self.focus()
        place = event.get_content_offset(self)
        if place is None:
            return
        x = place.x if place.x < self._starts[self.model.fixed] else place.x + round(self.scroll_offset.x)
        column = next((i for i in range(len(self.model.columns)) if x < self._starts[i + 1]), None)
        if column is None:
            return
        if place.y < self._header_height:
            self.post_message(self.HeaderSelected(self, column))
            return
        row = place.y - self._header_height + round(self.scroll_offset.y)
        if row >= len(self.model):
            return
        there = self.validate_cursor(Offset(column, row))
        if there == self.cursor:
            self.action_select()
        self.cursor = there

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()


def _fit(text: str, width: int, align: Align) -> str:
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else "…"[:width]
    return " " * (width - size) + text if align == "right" else text + " " * (width - size)
