"""Results: what changed, as a heat map and as plots."""

from __future__ import annotations

from tui.entry import Entry

ENTRY = Entry(
    mode="results",
    key="2",
    title="Results",
    words="What changed, as a heat map and as plots",
    module="tui.results.screen",
    screen="ResultsScreen",
)
