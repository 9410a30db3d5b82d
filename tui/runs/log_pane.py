"""What a run said, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text
from textual.events import Resize
from textual.geometry import Size
from textual.reactive import reactive
from textual.widgets import RichLog

from tui.runs.record import LOG_LINES, LogLine
from warehouse.text import one_line


class LogPane(RichLog):
    """Follows the end, unless the reader has scrolled up.

    Lines are laid out and coloured as they are written, so they are written anew when the width or the theme changes.
    """

    DEFAULT_CSS = """
    LogPane {
        background: $background; border: round $border-blurred; border-title-color: $primary; padding: 0 1;
        border-subtitle-color: $text-muted;
        scrollbar-size-vertical: 0;
    }
    LogPane:focus { border: round $border; }
    """

    virtual_size = reactive(Size(0, 0))  # unlike RichLog's, no layout for each line: its place does not depend on them

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, max_lines=2 * LOG_LINES, wrap=True, min_width=20)
        self.border_title = "Log"
        self._run: str | None = None
        self._last: LogLine | None = None
        self._lines: Sequence[LogLine] = ()
        self._region = Size(0, 0)
        self._written = 0  # the width for which the lines were laid out; none while the pane has no place

    def on_show(self) -> None:
        if self.scrollable_content_region.width != self._written:
            self.write_anew()

    def on_resize(self, event: Resize) -> None:
        before, self._region = self._region, self.scrollable_content_region.size
        if self._region.width != self._written:
            self.write_anew()
        elif self.scroll_y >= self.virtual_size.height - before.height:  # it was at the end
            self.scroll_end(animate=False, x_axis=False)

    def write_anew(self) -> None:
        self._last = None
        self.clear()
        self.show(self._lines)

    def show_of(self, run_id: str, lines: Sequence[LogLine]) -> None:
        """As `show`, of one run and then of another."""
        if run_id != self._run:
            self._run, self._last, self._lines = run_id, None, ()
            self.clear()
        self.show(lines)

    def show(self, lines: Sequence[LogLine]) -> None:
        """Add what is new since the last call; start anew where the lines are others (a replay went back)."""
        new = self._new(lines)
        if new is None:
            self.clear()
            new = list(lines)
        if new:
            self._written = self.scrollable_content_region.width
        first = self._last is None
        at_end = first or self.is_vertical_scroll_end
        for line in new:
            style = self.app.theme_variables["loss"] if line.level in ("error", "warning") else ""
            mark = {"error": "✗ ", "warning": "! "}.get(line.level, "")
            clock = f"{datetime.fromtimestamp(line.t):%H:%M:%S} "
            muted = self.app.theme_variables["neutral"]
            self.write(Text.assemble((clock, muted), (mark + one_line(line.text), style)), scroll_end=False)
        if new and at_end:
            # Once, and before the lines are drawn: but the first ones come before the pane knows its height.
            self.scroll_end(animate=False, immediate=not first, x_axis=False)
        self._last = lines[-1] if lines else None
        self._lines = lines

    def _new(self, lines: Sequence[LogLine]) -> list[LogLine] | None:
        if self._last is None:
            return list(lines)
        for back, line in enumerate(reversed(lines)):
            if line is self._last:
                return list(lines[len(lines) - back :])
        return None
