"""What the screens about runs may ask of the dashboard around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from textual.message_pump import MessagePump
from textual.screen import Screen

from engine.runs.rundir import RunDir
from engine.runs.stopping import Worker
from tui.host import Host
from tui.runs.feed import Feed
from tui.runs.record import RunRow

Done = TypeVar("Done")


class RunsHost(Host, Protocol):
    @property
    def feed(self) -> Feed: ...

    @property
    def asked_to_stop(self) -> dict[str, Worker]:
        """Workers by their runs."""
        ...

    def now(self) -> datetime: ...

    def attempt(self, act: Callable[[], Done], then: Callable[[Done], object], *, database: bool = False) -> None:
        """Act on runs in a thread, and go on with what came of it, or say why it could not be done.

        `database` says that the database is another one then.
        """
        ...

    def await_stop(self, name: str, worker: Worker) -> None:
        """A worker was asked to stop: say so, and say again if it does not."""
        ...

    def open_run(self, run_id: str) -> None: ...

    def open_sweep(self, sweep: str) -> None: ...

    def show_results_of(self, run_id: str, name: str) -> None:
        """Results, of the models that a run has scores of."""
        ...

    def show_results_of_sweep(self, sweep: str, name: str) -> None:
        """Results, of what a sweep's runs have scores of."""
        ...

    def compare_runs(self, run_ids: Sequence[str]) -> None:
        """Compare, with the models and methods that these runs have scores of."""
        ...

    def open_replay(self, folder: Path, *, speed: float | None = None) -> None: ...

    def new_run_like(self, folder: Path | None) -> None:
        """The form for a new run, filled in from another one's plan."""
        ...

    def show_started(self, form: Screen[Any], run: RunDir) -> None:
        """Leave the form for the run that it started."""
        ...

    def show_started_sweep(self, form: Screen[Any], sweep: str) -> None:
        """Leave the form for the sweep that it started."""
        ...

    def start_without(self, row: RunRow, task: str) -> None:
        """A new run with the plan of another one, but for a task."""
        ...

    def start_demo(self) -> None: ...


def runs_host(node: MessagePump) -> RunsHost:
    return cast("RunsHost", node.app)
