"""A run as plain log lines: for pipes, log files and `--quiet`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console

from engine.progress import RunTracker
from tui.cli.output import duration, one_line
from warehouse.journal import Event


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

    def event(self, event: Event, tracker: RunTracker) -> None:
        text = describe(event, tracker)
        if text is not None:
            self._say(text, event.t)

    def note(self, text: str) -> None:
        self._say(text, datetime.now().timestamp())

    def _say(self, text: str, t: float) -> None:
        if self._title is not None:
            self._console.print(one_line(self._title), soft_wrap=True)
            self._title = None
        self._console.print(f"{datetime.fromtimestamp(t):%H:%M:%S} {one_line(text)}", soft_wrap=True)


def describe(event: Event, tracker: RunTracker) -> str | None:
    """An event in a line of words, or None for one that only moves a display."""
    data = event.data
    match event.kind:
        case "model":
            return f"{data['model']}: {data['model_type']}, {data['parameters']:,} parameters"
        case "variant":
            return (
                f"level {data['level']}: {data['intermediate_size']} neurons a layer, {data['parameters']:,} parameters"
            )
        case "cell" if not data["is_group"]:
            return f"level {data['level']} {data['task']}: done in {duration(data['seconds'])}{_outlook(tracker)}"
        case "log":
            return data["message"]
        case "stopped":
            return f"stopped ({data['reason']})"
        case "finished":
            return "finished" if not data["failed"] else f"finished, {data['failed']} cells failed"
    return None


def _outlook(tracker: RunTracker) -> str:
    progress = tracker.progress()
    cells = f", {progress.done + progress.failed} of {progress.total} cells" if progress.total else ""
    left = f", {duration(progress.seconds_left)} left" if progress.seconds_left else ""
    return cells + left
