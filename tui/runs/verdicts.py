"""What Results says of a run's cells, for the grid of a run: one verdict for a cell, wherever it is looked at.

Until a run has been merged and its documents compared, its grid only says which way a score went.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui import format as fmt
from tui.results.matrix import mark
from warehouse.read.grid import Cell

if TYPE_CHECKING:  # the first screen is drawn without any of it
    from warehouse.read.cell_details import RunVerdict

Verdicts = Mapping[tuple[str, str, str, str], "RunVerdict"]
"""By level, task, metric and filter."""

_SIGNS = {"▲": "↑", "▼": "↓", "≈": "="}
_WORDS = {
    "▲": "a gain",
    "▼": "a loss",
    "△": "better, not tested",
    "▽": "worse, not tested",
    "≈": "within the noise",
    "↑": "better, provisional: not merged and tested yet",
    "↓": "worse, provisional: not merged and tested yet",
    "=": "no change, provisional: not merged and tested yet",
}


def read_verdicts(database: Path, run_id: str) -> Verdicts | None:
    """The tested changes that stand in Results for this run's cells; None where the file cannot be asked now."""
    from tui.shell.queries import Question, Reader
    from warehouse.errors import UserError

    reader = Reader(database)
    try:
        (models,) = reader.ask("run", reader.turn("run"), Question("run_model", {"run_id": run_id}))
        if not models:
            return {}
        parameters = {"run_id": run_id, "model_ids": [row.model_id for row in models]}
        (rows,) = reader.ask("run", reader.turn("run"), Question("run_verdicts", parameters))
    except UserError:  # no file yet, or busy: the marks stay provisional until it can be read
        return None
    return {(row.level, row.task, row.metric, row.filter): row for row in rows}


def verdict_of(verdicts: Verdicts, level: str, name: str, cell: Cell) -> RunVerdict | None:
    """What is said of the score that a cell shows."""
    if cell.metric is None or cell.filter is None:
        return None
    return verdicts.get((level, name, cell.metric, cell.filter))


def sign(cell: Cell, verdict: RunVerdict | None) -> str:
    """The mark that Results has, or a provisional one: ↑ better, ↓ worse, = no change; empty without a change."""
    if verdict is not None and verdict.delta is not None:
        return mark(verdict)
    glyph = fmt.glyph(cell.improved, cell.delta)
    return _SIGNS.get(glyph, glyph)


def guessed(verdicts: Verdicts, name: str, cell: Cell) -> Cell:
    """The cell with what guessing scores, where Results knows it: that holds for every level, the unpruned one too."""
    found = (
        row.chance
        for (_, task, metric, by), row in verdicts.items()
        if row.chance is not None and (task, metric, by) == (name, cell.metric, cell.filter)
    )
    return replace(cell, chance=next(found, None))


def words(glyph: str) -> str:
    return _WORDS.get(glyph, "")
