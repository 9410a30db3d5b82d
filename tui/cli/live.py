"""A run as a live display: a grid of tasks and levels, and where the current cell stands."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from engine.runs.progress import progress
from tui.cli.lines import describe
from tui.cli.output import duration
from tui.format import progress as progress_text
from tui.stages import stage_lines, stage_text
from warehouse.read.grid import Cell
from warehouse.read.run_grid import run_grid
from warehouse.records.events import Event, Log, Stopped
from warehouse.records.facts import ModelFacts
from warehouse.records.level import level_label
from warehouse.records.run_state import RunHistory
from warehouse.text import counted, one_line

T = TypeVar("T")

_A_SECOND = 2  # pictures: one takes 9 ms of a core, which the run that is watched may need
_WIDTH = 6  # of a level's column, in characters
_NAME = 26  # of the task's name


class LiveView:
    """Redraws itself twice a second while it is shown; what the worker says scrolls away above it."""

    def __init__(self, console: Console, history: RunHistory) -> None:
        self._console = console
        self._history = history
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=_A_SECOND, transient=True)

    @contextmanager
    def shown(self) -> Iterator[None]:
        with self._live:
            yield

    def event(self, event: Event, history: RunHistory) -> None:
        if isinstance(event.data, ModelFacts | Log | Stopped):
            self.note(describe(event, history) or "")

    def note(self, text: str) -> None:
        self._console.print(Text(one_line(text)))

    def _draw(self) -> Group:
        known = progress(self._history)
        settled = known.done + known.failed
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            Text(progress_text(settled, known.total)),
            ProgressBar(total=known.total or 1, completed=settled, width=24),
            Text(f"{known.failed} failed", style="red") if known.failed else "",
            Text(f"{duration(known.seconds_left)} left" if known.seconds_left is not None else "", style="cyan"),
        )
        beside = stage_lines(self._history, time.time())
        now = [line for line in (self._now(), *beside) if line]
        texts = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in now]
        return Group(self._grid(len(texts)), bar, *texts)

    def _now(self) -> str:
        """What is going on, in a line, with its rates; empty where only stages are at work, which have their own."""
        current = self._history.current
        if current is None:
            if self._history.at_work:
                return ""
            if self._history.attempt is None:
                return "starting the worker"
            return stage_text(self._history) or "between two evaluations"
        parts = [f"level {current.level} {one_line(current.task)}"]
        if current.total:
            parts.append(f"{current.done}/{counted(current.total, 'request')}")
        if (rate := current.requests_per_second) is not None:
            parts.append(f"{rate:,.1f} requests/s")
        if (rate := current.tokens_per_second) is not None:
            parts.append(f"{rate:,.0f} tokens/s")
        return " · ".join(parts)

    def _grid(self, below: int) -> Table:
        """`below` are the lines that stand below the bar."""
        history, here = self._history, self._history.current
        found = run_grid(history)
        # Of nested groups those that hold tasks themselves.
        tasks = [line.name for line in found.rows if not line.parts]
        lines = [
            line for line in found.rows
            if any(part in tasks for part in line.parts) or (not line.parts and line.depth == 0)
        ]  # fmt: skip
        at = next((line for line in lines if here and here.task in (line.name, *line.parts)), None)
        size = self._console.size
        levels = _window(found.columns, here.level if here else None, max((size.width - _NAME) // (_WIDTH + 1), 1))
        grid = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
        grid.add_column("", width=_NAME, no_wrap=True, overflow="ellipsis")
        for level in levels:
            grid.add_column(level_label(level), width=_WIDTH, justify="right")
        for line in _window(lines, at, max(size.height - 5 - below, 1)):
            cells = (found.cells[line, level] for level in levels)
            grid.add_row(Text(one_line(line.name)), *(self._cell(cell) for cell in cells))
        return grid

    def _cell(self, cell: Cell) -> Text:
        if cell.failed:
            return Text("✗" if cell.total == 1 else f"✗ {cell.failed}", style="red")
        if cell.done == cell.total:
            return Text("✓", style="green")
        if cell.state != "running":
            return Text(f"{cell.done}/{cell.total}" if cell.done else "·", style="dim")
        current = self._history.current
        if current is not None and cell.total == 1:
            return Text(f"{100 * current.done // max(current.total, 1)}%", style="yellow")
        return Text(f"{cell.done}/{cell.total}", style="yellow")


def _window(items: Sequence[T], focus: T | None, room: int) -> Sequence[T]:
    """As many neighbours of the focus as there is room for."""
    if len(items) <= room:
        return items
    middle = items.index(focus) if focus is not None and focus in items else 0
    start = min(max(middle - room // 2, 0), len(items) - room)
    return items[start : start + room]
