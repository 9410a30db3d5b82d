"""A run as plain log lines: for pipes, log files and `--plain`; and of one that is `--quiet` what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console

from engine.runs.progress import progress
from tui.cli.output import duration
from warehouse.records.events import Event, Finished, Log, Stopped
from warehouse.records.facts import CellFacts, ModelFacts, VariantFacts
from warehouse.records.run_state import RunHistory
from warehouse.text import one_line


class LineView:
    """One line for each thing worth knowing, with the local time.

    `title` comes before the first of them, so that a plan that is refused leaves nothing but the reason.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title: str | None = title

    @contextmanager
    def shown(self) -> Iterator[None]:
        yield

    def event(self, event: Event, history: RunHistory) -> None:
        text = describe(event, history)
        if text is not None:
            self._say(text, event.t)

    def note(self, text: str) -> None:
        self._say(text, datetime.now().timestamp())

    def _say(self, text: str, t: float) -> None:
        if self._title is not None:
            self._console.print(one_line(self._title), soft_wrap=True)
            self._title = None
        self._console.print(f"{datetime.fromtimestamp(t):%H:%M:%S} {one_line(text)}", soft_wrap=True)


class ErrorView:
    """What a run logs as an error, and what its person asked for, as by Ctrl-C."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def shown(self) -> Iterator[None]:
        yield

    def event(self, event: Event, history: RunHistory) -> None:
        if isinstance(event.data, Log) and event.data.level_name == "error":
            self.note(event.data.message)

    def note(self, text: str) -> None:
        self._console.print(one_line(text), soft_wrap=True)


def describe(event: Event, history: RunHistory) -> str | None:
    """An event in a line of words, or None for one that only moves a display."""
    match event.data:
        case ModelFacts() as model:
            return f"{model.model}: {model.model_type}, {model.parameters or 0:,} parameters"
        case VariantFacts() as variant:
            return f"level {variant.level}: {variant.width} neurons a layer, {variant.parameters or 0:,} parameters"
        case CellFacts(is_group=False) as cell:
            return f"level {cell.level} {cell.task}: done in {duration(cell.seconds or 0.0)}{_outlook(history)}"
        case Log(message=message):
            return message
        case Stopped(reason=reason):
            return f"stopped ({reason})"
        case Finished(failed=failed):
            return f"finished, {failed} cells failed" if failed else "finished"
        case _:
            return None


def _outlook(history: RunHistory) -> str:
    reached = progress(history)
    cells = f", {reached.done + reached.failed} of {reached.total} cells" if reached.total else ""
    left = f", {duration(reached.seconds_left)} left" if reached.seconds_left else ""
    return cells + left
