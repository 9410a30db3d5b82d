"""A horizontal scrollbar that is a line: a whole row of colour would weigh more than the table above it."""

from __future__ import annotations

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender

_LINE = "━"


class ThinBar(ScrollBarRender):
    """Vertical bars stay as Textual draws them."""

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = Color.parse("#555555"),
        bar_color: Color = Color.parse("bright_magenta"),
    ) -> Segments:
        if vertical or not size or not 0 < window_size < virtual_size:
            return super().render_bar(
                size, virtual_size, window_size, position, thickness, vertical, back_color, bar_color
            )
        thumb = min(max(1, round(size * window_size / virtual_size)), size)
        start = round((size - thumb) * min(max(position / (virtual_size - window_size), 0), 1))
        parts = ((" ", start, "scroll_up"), (_LINE, thumb, "grab"), (" ", size - thumb - start, "scroll_down"))
        line = [
            # A segment for each cell: where in it the mouse is, is what is grabbed.
            Segment(glyph, Style(color=bar_color, bgcolor=back_color, meta={"@mouse.down": does}))
            for glyph, count, does in parts
            for _ in range(count)
        ]
        return Segments([*line, Segment.line()] * thickness, new_lines=False)
