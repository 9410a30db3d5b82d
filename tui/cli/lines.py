"""A run as plain log lines: for pipes, log files and `--plain`; and of one that is `--quiet` what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console

from engine.runs.progress import progress
from tui.cli.output import duration
from tui.stages import stage_line, stage_name
from warehouse.records.events import Event, Finished, Log, Stage, StageProgress, Stopped
from warehouse.records.facts import CellFacts, ModelFacts, VariantFacts
from warehouse.records.run_state import RunHistory
from warehouse.text import counted, one_line

_STAGE_EVERY = 10.0  # seconds


class LineView:
    """One line for each thing worth knowing, with the local time.

    `title` comes before the first of them, so that a plan that is refused leaves nothing but the reason.
    `prefix` stands before each of them.
    """

    def __init__(self, console: Console, title: str | None, prefix: str = "") -> None:
        self._console = console
        self._prefix = prefix
        self._title: str | None = title
        self._told: dict[tuple[str, str | None], float] = {}  # when something of a stage was said last

    @contextmanager
    def shown(self) -> Iterator[None]:
        yield

    def event(self, event: Event, history: RunHistory) -> None:
        text = describe(event, history) or self._of_stages(event, history)
        if text is not None:
            self._say(text, event.t)

    def _of_stages(self, event: Event, history: RunHistory) -> str | None:
        """Where a stage stands that takes long; how long it took once it has ended."""
        match event.data:
            case StageProgress(done=0):
                self._told[event.data.stage, event.data.level] = event.t
            case StageProgress(stage=stage, level=level):
                if event.t - self._told.get((stage, level), 0.0) >= _STAGE_EVERY:
                    self._told[stage, level] = event.t
                    return stage_line(history.at_work[stage, level], history, event.t)
            case Stage(seconds=seconds) as stage if seconds >= _STAGE_EVERY:
                return f"{stage_name(stage.stage)}: done in {duration(seconds)}"
            case _:
                pass
        return None

    def note(self, text: str) -> None:
        self._say(text, datetime.now().timestamp())

    def _say(self, text: str, t: float) -> None:
        if self._title is not None:
            self._console.print(one_line(self._title), soft_wrap=True)
            self._title = None
        self._console.print(f"{datetime.fromtimestamp(t):%H:%M:%S} {one_line(self._prefix + text)}", soft_wrap=True)


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
            return f"finished, {counted(failed, 'evaluation')} failed" if failed else "finished"
        case _:
            return None


def _outlook(history: RunHistory) -> str:
    reached = progress(history)
    cells = f", {reached.done + reached.failed} of {counted(reached.total, 'evaluation')}" if reached.total else ""
    left = f", {duration(reached.seconds_left)} left" if reached.seconds_left else ""
    return cells + left
