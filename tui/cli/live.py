"""A run as a live display: a grid of tasks and levels, and where the current cell stands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from engine.runs.progress import progress
from tui.cli.lines import describe
from tui.cli.output import duration, one_line
from tui.stages import stage_text
from warehouse.records.events import Event, Log, Stopped
from warehouse.records.facts import ModelFacts
from warehouse.records.level import level_label
from warehouse.records.run_state import Cell, RunHistory

_WIDTH = 6  # of a level's column, in characters
_NAME = 26  # of the task's name


class LiveView:
    """Redraws itself a few times a second while it is shown; what the worker says scrolls away above it."""

    def __init__(self, console: Console, history: RunHistory) -> None:
        self._console = console
        self._history = history
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=5, transient=True)

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
            Text(f"{settled}/{known.total if known.total is not None else '?'} cells"),
            ProgressBar(total=known.total or 1, completed=settled, width=24),
            Text(f"{known.failed} failed", style="red") if known.failed else "",
            Text(f"{duration(known.seconds_left)} left" if known.seconds_left is not None else "", style="cyan"),
        )
        return Group(self._grid(), bar, Text(self._now(), style="dim", no_wrap=True, overflow="ellipsis"))

    def _now(self) -> str:
        """What is going on, in a line, with its rates."""
        current = self._history.current
        if current is None:
            if self._history.attempt is None:
                return "starting the worker"
            return stage_text(self._history) or "between two cells"
        parts = [f"level {current.level} {one_line(current.task)}"]
        if current.total:
            parts.append(f"{current.done}/{current.total} requests")
        if (rate := current.requests_per_second) is not None:
            parts.append(f"{rate:,.1f} requests/s")
        if (rate := current.tokens_per_second) is not None:
            parts.append(f"{rate:,.0f} tokens/s")
        return " · ".join(parts)

    def _grid(self) -> Table:
        history = self._history
        rows: defaultdict[str, list[str]] = defaultdict(list)
        for task in history.all_tasks:
            rows[history.parents.get(task, task)].append(task)
        here = history.current
        size = self._console.size
        levels = _window(
            list(history.levels),
            here.level if here else None,
            max((size.width - _NAME) // (_WIDTH + 1), 1),
        )
        names = _window(
            list(rows), history.parents.get(here.task, here.task) if here else None, max(size.height - 6, 1)
        )
        grid = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
        grid.add_column("", width=_NAME, no_wrap=True, overflow="ellipsis")
        for level in levels:
            grid.add_column(level_label(level), width=_WIDTH, justify="right")
        settled = history.settled
        for name in names:
            grid.add_row(Text(one_line(name)), *(self._cell(level, rows[name], settled) for level in levels))
        return grid

    def _cell(self, level: str, tasks: list[str], settled: Mapping[Cell, str]) -> Text:
        states = Counter(settled.get((level, task)) for task in tasks)
        current = self._history.current
        if states["failed"]:
            return Text("✗" if len(tasks) == 1 else f"✗ {states['failed']}", style="red")
        if states["done"] == len(tasks):
            return Text("✓", style="green")
        if current is not None and current.level == level and current.task in tasks:
            if len(tasks) == 1:
                return Text(f"{100 * current.done // max(current.total, 1)}%", style="yellow")
            return Text(f"{states['done']}/{len(tasks)}", style="yellow")
        return Text(f"{states['done']}/{len(tasks)}" if states["done"] else "·", style="dim")


def _window(items: list[str], focus: str | None, room: int) -> list[str]:
    """As many neighbours of the focus as there is room for."""
    if len(items) <= room:
        return items
    middle = items.index(focus) if focus in items else 0
    start = min(max(middle - room // 2, 0), len(items) - room)
    return items[start : start + room]
