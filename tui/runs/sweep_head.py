"""A sweep in a few lines: its name, and how it stands."""

from __future__ import annotations

from rich.text import Text

from tui.runs.sweep_rows import SweepRow
from warehouse.text import counted, one_line


def sweep_head(sweep: SweepRow, colours: dict[str, str]) -> Text:
    return Text.assemble(
        (one_line(sweep.name), "bold"),
        (f"  a sweep of {counted(len(sweep.pieces), 'run')}\n", colours["neutral"]),
        one_line(sweep.advice()),
    )
