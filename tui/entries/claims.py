"""Claims: which of the study's claims the results support."""

from __future__ import annotations

from tui.entry import Entry

ENTRY = Entry(
    mode="claims",
    key="5",
    title="Claims",
    words="Which of the study's claims the results support",
    module="tui.claims.screen",
    screen="ClaimsScreen",
)
