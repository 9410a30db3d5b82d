"""An app that starts runs and brings results in, and says what it is at meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from engine.runs.rundir import RunDir
from tui.runs.feed import Feed
from tui.runs.record import RunRow
from tui.shell import background
from tui.shell.safe_app import SafeApp

Done = TypeVar("Done")


class StartingApp(SafeApp):
    """`started` are the runs that were started from here; `doing` is what takes a while, in words."""

    def __init__(self, database: Path) -> None:
        super().__init__()
        self.database = database
        self.feed = Feed(database)
        self.started: list[RunDir] = []
        self.doing: list[str] = []

    def attempt(self, act: Callable[[], Done], then: Callable[[Done], object], *, database: bool = False) -> None:
        def done(answer: Done) -> None:
            self.feed.look_again(database=database)
            then(answer)

        background.attempt(self, act, done)

    def start_demo(self) -> None:
        from tui.runs import actions

        self.attempt(lambda: actions.start_demo(self.database), partial(self._show_new, "The demo"), database=True)

    def start_without(self, row: RunRow, task: str) -> None:
        from tui.runs import actions

        said = f"Run {row.name} without {task}"
        self.attempt(lambda: actions.start_without(row, task, self.database), partial(self._show_new, said))

    def _show_new(self, what: str, run: RunDir) -> None:
        from tui.runs.runs_screen import RunsScreen

        self.started.append(run)
        if isinstance(self.screen, RunsScreen):
            self.screen.select(run.run_id)
            self.notify(f"{what} runs: enter shows it.")
        else:
            self.notify(f"{what} runs: it is among the runs (1).")

    def import_published(self) -> None:
        from tui.runs import actions

        doing, said = "importing the study…", "The published study is in: 2 shows it."
        if doing in self.doing:
            return
        self.doing.append(doing)

        def bring_in() -> None:
            try:
                actions.import_published(self.database)
            finally:
                self.doing.remove(doing)

        self.attempt(bring_in, lambda _: self.notify(said), database=True)
