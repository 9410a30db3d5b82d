"""The dashboard.

It shows runs and results and starts workers; the work itself is done by processes that outlive it. Nothing here
imports duckdb or a plot before the first screen is on the terminal.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from platform import node
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.errors import NoWidget
from textual.events import DescendantFocus, Event, Key
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets._toast import Toast, ToastRack

from engine.errors import UserError
from engine.runs.rundir import RunDir
from engine.runs.stopping import PATIENCE, Worker
from tui.entry import Entry
from tui.format import devices
from tui.runs.endings import Endings
from tui.runs.live import LiveScreen
from tui.runs.starting import StartingApp
from tui.screens import SCREENS, keys
from tui.shell.commands import commands
from tui.shell.confirm import ConfirmScreen
from tui.shell.exporting import Exportable, Sheet
from tui.shell.type_ahead import TypeAhead
from tui.shell.unsaved import COMMANDS, Unsaved, is_typed_into
from tui.widgets.top_line import TopLine
from warehouse.commands import hint
from warehouse.text import counted, one_line

if TYPE_CHECKING:
    from tui.new_run.kept import KeptForm

_PULL_SECONDS = 0.5
_FIRST_PULLS = (0.03, 0.1, 0.25)  # the runs are read within a moment of the start: nobody should wait for the timer


def _is_laid_out(screen: Screen[Any], widget: Widget) -> bool:
    """Whether what the screen draws has a place for it."""
    try:
        screen.find_widget(widget)
    except NoWidget:
        return False
    return True


class Dashboard(StartingApp):
    """`database` is the DuckDB file that results go to; its runs lie beside it. For its screens it is a `RunsHost`."""

    TITLE = "prune-tui"
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
        Binding("q", "close", "Quit", tooltip="Close the dashboard; runs go on"),
        Binding("ctrl+g", "jump", "Jump", show=False, priority=True, tooltip="Go to any field or pane by its letter"),
        Binding("ctrl+n", "empty_form", "Empty form", show=False, priority=True, tooltip="Begin the form anew"),
        Binding("ctrl+p", "command_palette", "Palette", key_display="^p", tooltip="Every action, by its name"),
        Binding("ctrl+q", "quit", "Quit", show=False, system=True),
    ]

    def __init__(self, database: Path, *, replay: tuple[Path, float] | None = None) -> None:
        super().__init__(database)
        self.asked_to_stop: dict[str, Worker] = {}
        self._replay = replay
        self.paused = False
        self._endings = Endings(self, database)
        self._devices = ""  # until they were asked
        self._typed_ahead = TypeAhead(self, super().on_event)
        self._kept: KeptForm | None = None  # its module is imported once there is a form

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
        """The one timer: hand the newest snapshot to the screen that shows it, and tell of runs that have ended."""
        self._endings.look(self.feed.snapshot.runs)
        screen = next((one for one in reversed(self.screen_stack) if not isinstance(one, ModalScreen)), None)
        if isinstance(screen, LiveScreen) and not self.paused:
            await screen.pull()
        for line in screen.query(TopLine) if screen is not None else ():
            line.update()

    @work(thread=True, exit_on_error=False)
    def _warm_up(self) -> None:
        """Import the other screens while nobody waits for them."""
        for entry in SCREENS:
            import_module(entry.module)
        from engine.gpu import machine

        self._devices = devices(machine())
        if not self.is_headless:  # tests have many dashboards in a process, and none of them is to stay
            # What is here now stays: else every full collection looks through it, and holds up a key for 60 ms.
            gc.freeze()

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key) and not event.is_forwarded and self._typed_ahead.holds(event):
            return
        await super().on_event(event)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self._typed_ahead.focused(event.widget)

    def on_key(self, event: Key) -> None:
        """One that another screen's field left to the program while this one was opened."""
        if self._typed_ahead.takes_back(event):
            event.prevent_default()

    # What screens ask for: `tui.host`, `tui.runs.host`

    def copy_text(self, text: str, what: str, *, name: str = "copied", suffix: str = ".md") -> None:
        from tui.shell.clipboard import copy

        try:
            self.notify(f"{what} {copy(self, text, name=name, suffix=suffix)}")
        except OSError as error:
            self.notify(f"It could not be copied: {error.strerror}.", severity="error")

    @property
    def entries(self) -> Sequence[Entry]:
        return SCREENS

    def about(self) -> list[str]:
        """What does not last comes first: a display that is held, what is being done, runs at work."""
        running = sum(row.running for row in self.feed.snapshot.runs)
        now = ["‖ held, p goes on"] if self.paused else []
        now += [*self.doing, *([f"▶ {running} at work"] if running else [])]
        return [*now, one_line(self.database.name), node(), *([self._devices] if self._devices else [])]

    def now(self) -> datetime:
        return datetime.now(UTC)

    def open_run(self, run_id: str) -> None:
        from tui.runs.run_screen import RunScreen

        self.push_screen(RunScreen(run_id))

    def open_sweep(self, sweep: str) -> None:
        from tui.runs.sweep_screen import SweepScreen

        self.push_screen(SweepScreen(sweep))

    def show_results_of(self, run_id: str, name: str) -> None:
        from tui.results.screen import ResultsScreen

        self.switch_mode("results")
        screen = self.screen
        assert isinstance(screen, ResultsScreen)
        self.call_after_refresh(lambda: screen.show_run(run_id, name))

    def show_results_of_sweep(self, sweep: str, name: str) -> None:
        from tui.results.screen import ResultsScreen

        self.switch_mode("results")
        screen = self.screen
        assert isinstance(screen, ResultsScreen)
        self.call_after_refresh(lambda: screen.show_sweep(sweep, name))

    def compare_runs(self, run_ids: Sequence[str]) -> None:
        from tui.compare.screen import CompareScreen

        self.switch_mode("compare")
        screen = self.screen
        assert isinstance(screen, CompareScreen)
        self.call_after_refresh(lambda: screen.show_runs(list(run_ids)))

    def open_replay(self, folder: Path, *, speed: float | None = None) -> None:
        from tui.runs.replay_screen import ReplayScreen

        self.push_screen(ReplayScreen(folder, speed=speed))

    def new_run_like(self, folder: Path | None) -> None:
        from tui.new_run.screen import NewRunScreen

        if isinstance(self.screen, NewRunScreen):
            return
        plan = None
        if folder is not None:
            try:
                plan = RunDir(folder).plan
            except (UserError, OSError) as error:
                self.notify(str(error), severity="error")
                return
        kept = self._kept.take() if self._kept is not None and plan is None else None
        if kept is not None:
            self.notify("The form as you left it; ctrl+n empties it.")
        self.push_screen(kept or NewRunScreen(plan))

    def pop_screen(self) -> AwaitComplete:
        """As Textual's; a form that is left half filled is kept."""
        if is_typed_into(self.screen):
            from tui.new_run.kept import KeptForm

            self._kept = self._kept or KeptForm(self)
            self._kept.leave(self.screen)
        return super().pop_screen()

    def show_started(self, form: Screen[Any], run: RunDir) -> None:
        """Behind the run is the list, with the cursor on it."""
        self.started.append(run)
        self._to_the_list(form, run.run_id)
        self.open_run(run.run_id)

    def show_started_sweep(self, form: Screen[Any], sweep: str) -> None:
        """Behind the sweep is the list, with the cursor on it."""
        self._to_the_list(form, sweep)
        self.open_sweep(sweep)

    def _to_the_list(self, form: Screen[Any], selected: str) -> None:
        from tui.runs.runs_screen import RunsScreen

        if self.screen is form:
            super().pop_screen()
        self.switch_mode("runs")
        while not isinstance(self.screen, RunsScreen):  # such as the run that this one is a clone of
            self.pop_screen()
        self.screen.select(selected)

    def await_stop(self, name: str, worker: Worker) -> None:
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

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in COMMANDS and self.screen_stack and is_typed_into(self.screen):
            return False
        if action == "empty_form":
            return bool(self.screen_stack) and is_typed_into(self.screen)
        return super().check_action(action, parameters)

    def action_new_run(self) -> None:
        self.new_run_like(None)

    def action_empty_form(self) -> None:
        from tui.new_run.screen import NewRunScreen

        if isinstance(self.screen, NewRunScreen):
            self.switch_screen(NewRunScreen())

    def action_jump(self) -> None:
        from tui.shell.jump import jump

        jump(self)

    def action_pause(self) -> None:
        self.paused = not self.paused
        self.notify(
            "The display holds still; p goes on. Runs are not touched." if self.paused else "The display is live."
        )

    def action_copy(self) -> None:
        if (sheet := self._sheet()) is not None:
            self.copy_text(sheet.markdown(), "The table, as Markdown (ctrl+e saves a file).")

    def action_export(self) -> None:
        if isinstance(self.screen, ModalScreen) and not isinstance(self.screen, Exportable):
            return
        shown = self.screen
        for rack in shown.query(ToastRack):
            rack.display = False  # what was said a moment ago is no part of the picture
        self.call_after_refresh(self._export, shown)

    def _export(self, shown: Screen[Any]) -> None:
        from tui.shell.export_screen import ExportScreen

        if any(_is_laid_out(shown, toast) for toast in shown.query(Toast)):  # hidden, and not drawn so yet
            shown.call_after_refresh(self._export, shown)
            return
        picture = self.export_screenshot()
        for rack in shown.query(ToastRack):
            rack.display = True
        sheet = shown.sheet() if isinstance(shown, Exportable) else None
        stem = f"{type(shown).__name__.removesuffix('Screen').lower()}-{self.now():%Y%m%d-%H%M%S}"

        def written(path: Path | None) -> None:
            if path is not None:
                self.notify(f"Saved {path.resolve()}.")

        self.push_screen(ExportScreen(sheet, picture, stem, self.database), written)

    def action_sql(self) -> None:
        if (sheet := self._sheet()) is None:
            return
        if sheet.sql is None:
            self.notify("This table comes from the run's journal, not from the database.")
        else:
            self.open_sql(sheet.sql)

    def open_sql(self, statement: str) -> None:
        """Show a statement in Query, ready to run."""
        self.switch_mode("query")
        screen = self.screen
        self.call_after_refresh(lambda: screen.open_sql(statement))  # type: ignore[attr-defined]

    def _sheet(self) -> Sheet | None:
        sheet = self.screen.sheet() if isinstance(self.screen, Exportable) else None
        if sheet is None:
            self.notify("There is no table here to take.", severity="warning")
        return sheet

    def action_help(self) -> None:
        from tui.shell.help_screen import HelpScreen

        if not isinstance(self.screen, ModalScreen):
            self.push_screen(HelpScreen(self.screen))

    async def action_close(self) -> None:
        """Quit, after a question where something typed would be lost."""
        lost = [
            said
            for stack in self._screen_stacks.values()
            for screen in stack
            if isinstance(screen, Unsaved) and (said := screen.unsaved())
        ]
        if self._kept is not None and (said := self._kept.unsaved()) and said not in lost:
            lost.append(said)
        if not lost or isinstance(self.screen, ConfirmScreen):
            await self.action_quit()
            return

        async def answered(yes: bool | None) -> None:
            if yes:
                await self.action_quit()

        question = f"{' '.join(lost)}\n\nClose the dashboard all the same? Runs go on."
        self.push_screen(ConfirmScreen("Close the dashboard", question, "Close"), answered)

    async def action_quit(self) -> None:
        running = sum(row.running for row in self.feed.snapshot.runs)
        if running:
            runs = f"{counted(running, 'run')} continue{'s' * (running == 1)}"
            self.exit(message=f"{runs}: {hint(db=self.database)} shows {'it' if running == 1 else 'them'} again.")
        else:
            self.exit()

    def action_help_quit(self) -> None:
        """Ctrl+C: never ends a run, nor the dashboard by accident."""
        self.notify("q closes the dashboard; runs go on. x stops a run.")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        yield SystemCommand("Theme", "Dark, light or high contrast", self.action_change_theme)
        yield from commands(screen)
        yield SystemCommand("Import the published study", "Llama 3.2 1B and 3B, 7 levels", self.import_published)
        yield SystemCommand("Demo", "Measure the demo model: no GPU, no network", self.start_demo)
