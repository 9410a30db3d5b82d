"""Query: the database, asked in SQL."""

from __future__ import annotations

from tui.entry import Entry

ENTRY = Entry(
    mode="query",
    key="4",
    title="Query",
    words="Ask the database in SQL",
    module="tui.query.screen",
    screen="QueryScreen",
)
