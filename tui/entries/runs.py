"""Runs: every run, and where it stands."""

from __future__ import annotations

from tui.entry import Entry

ENTRY = Entry(
    mode="runs",
    key="1",
    title="Runs",
    words="Every run, and where it stands",
    module="tui.runs.runs_screen",
    screen="RunsScreen",
)
