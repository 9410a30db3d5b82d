"""How much a query may take, and its answer."""

from __future__ import annotations

MEMORY_BYTES = 3 << 30
ANSWER_BYTES = 256 << 20
"""What the caller's own process is asked to hold: the answer, and the statement on its way."""
STATEMENT_BYTES = 1 << 20
