"""The dashboard.

It shows runs and results and starts workers; the work itself is done by processes that outlive it. Nothing here
imports duckdb or a plot before the first screen is on the terminal.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen

from engine.errors import UserError
from engine.runs.stopping import PATIENCE, Worker
from tui.runs.feed import Feed
from tui.runs.live import LiveScreen
from tui.screens import SCREENS, keys
from tui.shell.background import told
from tui.shell.exporting import Exportable, Sheet
from tui.shell.gate import OnlyPrintable
from tui.shell.themes import DARK, THEMES
from warehouse.commands import hint
from warehouse.text import one_line, printable

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.dom import DOMNode

    from engine.runs.rundir import RunDir

Done = TypeVar("Done")

_PULL_SECONDS = 0.5
_FIRST_PULLS = (0.03, 0.1, 0.25)  # the runs are read within a moment of the start: nobody should wait for the timer


class Dashboard(App[None]):
    """`database` is the DuckDB file that results go to; its runs lie beside it."""

    TITLE = "prune-tui"
    CSS_PATH = Path(__file__).with_name("styles") / "tokens.tcss"
    MODES: ClassVar = {entry.mode: entry for entry in SCREENS}
    DEFAULT_MODE = SCREENS[0].mode
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-narrow"), (100, "-normal"), (150, "-wide")]  # pyright: ignore[reportIncompatibleVariableOverride]
    VERTICAL_BREAKPOINTS: ClassVar = [(0, "-low"), (36, "-high")]  # pyright: ignore[reportIncompatibleVariableOverride]
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys(),
        Binding("n", "new_run", "New", tooltip="Choose a model, levels and tasks, and start"),
        Binding("y", "copy", "Copy", show=False, tooltip="Copy the table on this screen as Markdown"),
        Binding("ctrl+e", "export", "Export", show=False, tooltip="Save the table on this screen, or a picture of it"),
        Binding("s", "sql", "SQL", show=False, tooltip="Open the SQL behind this table in Query"),
        Binding("p", "pause", "Pause", show=False, tooltip="Hold the display still; runs go on"),
        Binding("question_mark,f1", "help", "Help", key_display="?", tooltip="The keys of this screen"),
        Binding("q", "quit", "Quit", tooltip="Close the dashboard; runs go on"),
        Binding("ctrl+p", "command_palette", "Palette", key_display="^p", tooltip="Every action, by its name"),
        Binding("ctrl+q", "quit", "Quit", show=False, system=True),
    ]

    def __init__(self, database: Path, *, replay: tuple[Path, float] | None = None) -> None:
        super().__init__()
        self.database = database
        self.asked_to_stop: dict[str, Worker] = {}
        self._only_printable = OnlyPrintable()
        self.feed = Feed(database)
        self._replay = replay
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name
        for name in set(self.available_themes) - {theme.name for theme in THEMES}:
            self.unregister_theme(name)
        self.paused = False

    def on_load(self) -> None:
        # Textual has tasks begun eagerly from Python 3.12 on. What is in the first screen is then mounted before that
        # screen is on the stack, and ends the program as soon as it asks for its screen (Textual #6444).
        asyncio.get_running_loop().set_task_factory(None)

    def on_ready(self) -> None:
        if self._replay is not None:
            self.open_replay(self._replay[0], speed=self._replay[1])
        self.feed.start()
        self.set_interval(_PULL_SECONDS, self._pull)
        for seconds in _FIRST_PULLS:
            self.set_timer(seconds, self._pull)
        self._warm_up()

    def on_unmount(self) -> None:
        self.feed.stop()

    async def _pull(self) -> None:
        """The one timer: hand the newest snapshot to the screen that shows it."""
        screen = next((one for one in reversed(self.screen_stack) if not isinstance(one, ModalScreen)), None)
        if isinstance(screen, LiveScreen) and not self.paused:
            await screen.pull()

    @work(thread=True, exit_on_error=False)
    def _warm_up(self) -> None:
        """Import the other screens while nobody waits for them."""
        for entry in SCREENS:
            import_module(entry.module)
        if not self.is_headless:  # tests have many dashboards in a process, and none of them is to stay
            # What is here now stays: else every full collection looks through it, and holds up a key for 60 ms.
            gc.freeze()

    # What screens call

    def copy_text(self, text: str, what: str, *, name: str = "copied", suffix: str = ".md") -> None:
        """Copy a text and say where it went; `name` and `suffix` are of the file it goes to without a clipboard."""
        from tui.shell.clipboard import copy

        try:
            self.notify(f"{what} {copy(self, text, name=name, suffix=suffix)}")
        except OSError as error:
            self.notify(f"It could not be copied: {error.strerror}.", severity="error")

    def open_sql(self, statement: str) -> None:
        """Show a statement in Query, ready to run."""
        self.switch_mode("query")
        screen = self.screen
        self.call_after_refresh(lambda: screen.open_sql(statement))  # type: ignore[attr-defined]

    def colour(self, variable: str) -> str:
        """A colour of the theme, for Rich text: gain, loss, neutral, primary, …"""
        return self.theme_variables[variable]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """As Textual's, but never read as markup, whatever a widget's default says: it is other people's text."""
        super().notify(printable(message), title=one_line(title), severity=severity, timeout=timeout, markup=False)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return (*super().get_line_filters(), self._only_printable)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def open_run(self, run_id: str) -> None:
        from tui.runs.run_screen import RunScreen

        self.push_screen(RunScreen(run_id))

    def open_replay(self, folder: Path, *, speed: float | None = None) -> None:
        from tui.runs.replay_screen import ReplayScreen

        self.push_screen(ReplayScreen(folder, speed=speed))

    def new_run_like(self, folder: Path | None) -> None:
        """The form for a new run, filled in from another one's plan."""
        from engine.runs.rundir import RunDir
        from tui.new_run.new_run_screen import NewRunScreen

        if isinstance(self.screen, NewRunScreen):
            return
        plan = None
        if folder is not None:
            try:
                plan = RunDir(folder).plan
            except (UserError, OSError) as error:
                self.notify(str(error), severity="error")
                return
        self.push_screen(NewRunScreen(plan))

    def show_started(self, form: Screen[Any], run_id: str) -> None:
        """Leave the form for the run that it started; behind it is the list, with the cursor on that run."""
        from tui.runs.runs_screen import RunsScreen

        if self.screen is form:
            self.pop_screen()
        self.switch_mode("runs")
        while not isinstance(self.screen, RunsScreen):  # such as the run that this one is a clone of
            self.pop_screen()
        self.screen.select(run_id)
        self.open_run(run_id)

    @work(thread=True, exit_on_error=False, group="act")
    def start_demo(self) -> None:
        from engine.planning.plan import RunPlan
        from engine.planning.suites import DEMO_MODEL, suite
        from tui.runs.actions import start_new
        from tui.runs.runs_screen import RunsScreen
        from warehouse.records.level import parse_levels

        levels = tuple(parse_levels("0,10,20,30,40,50,60"))
        plan = RunPlan(name="demo", model=DEMO_MODEL, levels=levels, tasks=suite("demo"), suite="demo")

        def started(run: RunDir) -> None:
            if isinstance(self.screen, RunsScreen):
                self.screen.select(run.run_id)
                self.notify("The demo runs: enter shows it.")
            else:
                self.notify("The demo runs: it is among the runs (1).")

        self._attempt(lambda: start_new(plan, self.database), started)

    @work(thread=True, exit_on_error=False, group="act")
    def import_published(self) -> None:
        from tui.runs.actions import import_published

        said = "The published study is in: 2 shows it."
        self._attempt(lambda: import_published(self.database), lambda _: self.notify(said))

    def await_stop(self, name: str, worker: Worker) -> None:
        """A worker was asked to stop: say so, and say again if it does not."""
        self.asked_to_stop[worker.run_id] = worker

        def look() -> None:
            if worker.is_alive():
                self.notify(
                    f"Run {name} has not stopped within {PATIENCE:g} seconds: {worker.why()}. x asks whether to kill "
                    "it.",
                    severity="warning",
                    timeout=15,
                )

        self.notify(f"Run {name} stops after its current batch.")
        self.set_timer(PATIENCE, look)

    def _attempt(self, act: Callable[[], Done], then: Callable[[Done], None]) -> None:
        """In a thread: do it, and go on with what came of it on the event loop, or say why it could not be done."""
        try:
            done = act()
        except Exception as error:
            self.call_from_thread(self.notify, told(error), severity="error", timeout=8)
            return
        self.feed.look_again(database=True)
        self.call_from_thread(then, done)

    # Actions

    def action_new_run(self) -> None:
        self.new_run_like(None)

    def action_pause(self) -> None:
        self.paused = not self.paused
        self.notify(
            "The display holds still; p goes on. Runs are not touched." if self.paused else "The display is live."
        )

    def action_copy(self) -> None:
        if (sheet := self._sheet()) is not None:
            self.copy_text(sheet.markdown(), "The table, as Markdown (ctrl+e saves a file).")

    def action_export(self) -> None:
        from tui.shell.export_screen import ExportScreen

        if isinstance(self.screen, ModalScreen) and not isinstance(self.screen, Exportable):
            return
        sheet = self.screen.sheet() if isinstance(self.screen, Exportable) else None
        stem = f"{type(self.screen).__name__.removesuffix('Screen').lower()}-{self.now():%Y%m%d-%H%M%S}"

        def written(path: Path | None) -> None:
            if path is not None:
                self.notify(f"Saved {path.resolve()}.")

        self.push_screen(ExportScreen(sheet, self.export_screenshot(), stem, self.database), written)

    def action_sql(self) -> None:
        if (sheet := self._sheet()) is None:
            return
        if sheet.sql is None:
            self.notify("This table comes from the run's journal, not from the database.")
        else:
            self.open_sql(sheet.sql)

    def _sheet(self) -> Sheet | None:
        sheet = self.screen.sheet() if isinstance(self.screen, Exportable) else None
        if sheet is None:
            self.notify("There is no table here to take.", severity="warning")
        return sheet

    def action_help(self) -> None:
        from tui.shell.help_screen import HelpScreen

        if not isinstance(self.screen, ModalScreen):
            self.push_screen(HelpScreen(self.screen))

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Once it was told to close, keys that were typed ahead open nothing any more: it would be closed half made."""
        return False if self._exit else await super().run_action(action, default_namespace, namespaces)

    async def action_quit(self) -> None:
        running = sum(row.running for row in self.feed.snapshot.runs)
        if running:
            runs = f"{running} run{'s' * (running > 1)} continue{'s' * (running == 1)}"
            self.exit(message=f"{runs}: {hint(db=self.database)} shows {'it' if running == 1 else 'them'} again.")
        else:
            self.exit()

    def action_help_quit(self) -> None:
        """Ctrl+C: never ends a run, nor the dashboard by accident."""
        self.notify("q closes the dashboard; runs go on. x stops a run.")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the screen and of the program, by its words."""
        yield SystemCommand("Theme", "Dark, light or high contrast", self.action_change_theme)
        said: set[str] = set()
        for _, binding, enabled, tooltip in screen.active_bindings.values():
            words = tooltip or binding.tooltip or binding.description
            named = binding.show or binding.tooltip  # moving about by arrows needs no palette
            if enabled and named and binding.description and binding.action not in said:
                said.add(binding.action)
                yield SystemCommand(
                    binding.description,
                    f"{words} ({self.get_key_display(binding)})",  # brackets would be read as markup
                    partial(screen.call_later, screen.run_action, binding.action),
                )
        yield SystemCommand("Import the published study", "Llama 3.2 1B and 3B, 7 levels", self.import_published)
        yield SystemCommand("Demo", "Measure the demo model: no GPU, no network", self.start_demo)

    def _handle_exception(self, error: Exception) -> None:
        """A defect: leave with one sentence, and the details in a file. Tests see it as it is."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        handle, path = tempfile.mkstemp(prefix="prune-tui-defect-", suffix=".txt", text=True)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(traceback.format_exception(error))
        self.exit(
            return_code=1,
            message=f"prune-tui met a defect ({type(error).__name__}) and closed; runs go on. Details: {path}",
        )


def open_dashboard(database: Path) -> int:
    """Show the dashboard until it is closed; returns the exit code."""
    return _show(Dashboard(database))


def open_replay(database: Path, folder: Path, *, speed: float) -> int:
    """Play a run back; leaving it shows the dashboard. Returns the exit code."""
    return _show(Dashboard(database, replay=(folder, speed)))


def _show(app: Dashboard) -> int:
    app.run()
    app.feed.join()  # a thread that loads duckdb must not be cut off
    return app.return_code or 0
