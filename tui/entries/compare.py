"""Compare: models or methods side by side."""

from __future__ import annotations

from tui.entry import Entry

ENTRY = Entry(
    mode="compare",
    key="3",
    title="Compare",
    words="Models or methods side by side",
    module="tui.compare.screen",
    screen="CompareScreen",
)
