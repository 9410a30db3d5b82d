"""The last gate before the terminal: whatever a widget drew, only characters leave that print."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


class OnlyPrintable(LineFilter):
    """Leaves out what has no width of its own and could steer the terminal or turn a line around."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [
            Segment("".join(c for c in text if c.isprintable()), style, control) for text, style, control in segments
        ]
