"""Choose what to run, see what will happen, start it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import Screen
from textual.timer import Timer

from engine.errors import UserError
from engine.planning.draft import Draft
from engine.planning.draft_command import command
from engine.planning.forecast import Forecast, forecast
from engine.planning.memory_forecast import MemoryForecast, memory_forecast
from engine.planning.plan import RunPlan
from engine.planning.suites import DEMO_MODEL
from engine.planning.sweep_file import read_sweep_file
from engine.planning.sweep_text import write_sweep
from engine.planning.where import Where
from engine.runs.create import start_new
from engine.sweeps.starting import Started, start_sweep
from tui.new_run.file_dialog import SweepFileScreen
from tui.new_run.form import RunForm
from tui.new_run.lookups import Lookups
from tui.new_run.outlook import RunOutlook
from tui.new_run.task_list import TaskList
from tui.new_run.task_picker import TaskPickerScreen
from tui.runs.host import RunsHost, runs_host
from tui.shell.confirm import ConfirmScreen
from tui.widgets.key_footer import KeyFooter
from tui.widgets.top_line import TopLine
from warehouse.commands import hint
from warehouse.text import counted

_PAUSE = 0.6  # seconds after the last key before a model is looked at
_MEMORY_EVERY = 5.0  # seconds


class NewRunScreen(Screen[None]):
    TITLE = "New run"
    HELP = (
        "Tab goes from field to field. What is wrong is said as you type; what will happen, and the command that does "
        "the same from a shell, stand beside the form. The run is a process of its own: it goes on when this closes. "
        "Own task files that name Python are run only with “code” switched on; lm-eval's own run in any case, "
        "on whatever documents a task gives them."
    )
    CSS_PATH = "new_run.tcss"
    TYPED_INTO = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Start", tooltip="Start the run", priority=True),
        Binding("f2", "pick", "Find tasks", tooltip="Search all tasks and groups that lm-eval knows"),
        Binding("f3", "open_file", "Open file", tooltip="Fill the form from a sweep file"),
        Binding("f4", "save_file", "Save file", tooltip="Save what the form holds as a sweep file"),
        Binding("ctrl+y", "copy_command", "Copy command", tooltip="Copy the equivalent prune-tui run …", priority=True),
        Binding("escape", "app.pop_screen", "Back", key_display="esc", tooltip="Leave without starting"),
    ]

    @property
    def host(self) -> RunsHost:
        return runs_host(self)

    def __init__(self, like: RunPlan | None = None) -> None:
        super().__init__()
        self._first = Draft.of(like) if like is not None else Draft.settled()
        self._is_filled = like is not None
        self._file: Path | None = None
        self._is_starting = False  # a sweep, which takes a while
        self._is_filling = False  # the form is taken away, and another one comes
        self._pause: Timer | None = None
        self.lookups = Lookups(self.app, self._refresh)

    def compose(self) -> ComposeResult:
        yield TopLine()
        with Container(id="halves"):
            with Vertical(id="asked"):
                yield RunForm(self._first, self._recent(), touched=self._is_filled, id="form")
                yield TaskList(id="tasks-asked")
            yield RunOutlook(id="outlook")
        yield KeyFooter()

    def on_mount(self) -> None:
        self._begun = self.draft()
        self.query_one("#model").focus()
        self.lookups.look_at_tasks(self.draft().include_paths)
        self.lookups.look_at_memory()
        self.set_interval(_MEMORY_EVERY, self.lookups.look_at_memory)
        self._look_at_model()
        self._refresh()

    def unsaved(self) -> str:
        """As the dashboard asks before it closes."""
        if not self.query(RunForm) or self._is_filling or self.draft() == self._begun:
            return ""
        return "The form for a new run is filled in, and was not started."

    def draft(self) -> Draft:
        """What the form holds now."""
        return self.query_one(RunForm).draft()

    @on(RunForm.Changed)
    def _changed(self, event: RunForm.Changed) -> None:
        if event.field == "model":
            if self._pause is not None:
                self._pause.stop()
            self._pause = self.set_timer(_PAUSE, self._look_at_model)
        if event.field == "include_paths":
            self.lookups.look_at_tasks(self.draft().include_paths)
        self._refresh()

    @on(RunForm.Submitted)
    def _submitted(self) -> None:
        self.action_start()

    def action_pick(self) -> None:
        if not self.lookups.index:
            self.notify(self.lookups.index_problem or "The list of tasks is still being read: a moment.")
            return
        shots = {spec.split("@")[0].strip(): spec.strip() for spec in self.draft().tasks.split(",") if spec.strip()}

        def picked(names: tuple[str, ...] | None) -> None:
            if names is not None:
                self.query_one(RunForm).set_tasks([shots.get(name, name) for name in names])

        self.app.push_screen(TaskPickerScreen(tuple(self.lookups.index.values()), tuple(shots)), picked)

    def action_copy_command(self) -> None:
        try:
            text = command(self.draft(), self.host.database)
        except UserError as error:
            self.notify(str(error), severity="warning")
            return
        self.host.copy_text(text, "The command.", name="command", suffix=".sh")

    def action_start(self) -> None:
        draft = self.draft()
        if problems := self._problems(draft):
            self.query_one(RunForm).show_problems(problems, everywhere=True)
            field, problem = next(iter(problems.items()))
            self.notify(problem, severity="error", timeout=6)
            self.query_one(f"#{field}").focus()
            return
        plans, database = draft.plans(), self.host.database
        where = draft.where()
        if len(plans) == 1 and where == Where(alone=where.alone):
            self.host.attempt(lambda: start_new(plans[0], database), lambda run: self.host.show_started(self, run))
            return
        if self._is_starting:
            self.notify("It is being started: a moment.")
            return
        self._is_starting = True
        there = f" on {where.on}, which may take half a minute" if where.is_cluster else ""
        self.notify(f"{len(plans)} runs are looked at, and begun{there} …", timeout=30 if there else 5)
        self.host.attempt(lambda: self._start(plans, where, database), self._started)

    def _start(self, plans: Sequence[RunPlan], where: Where, database: Path) -> Started:
        try:
            return start_sweep(plans, where, database)
        finally:
            self._is_starting = False

    def _started(self, started: Started) -> None:
        if started.not_again:
            self.notify(f"Measured before, and not done again: {counted(started.not_again, 'evaluation')}.", timeout=10)
        if started.run is not None:
            self.host.show_started(self, started.run)
        elif started.sweep is not None:
            self.host.show_started_sweep(self, started.sweep)

    async def action_open_file(self) -> None:
        def chosen(path: Path | None) -> None:
            if path is not None:
                self.call_later(self._fill_from, path)

        question = SweepFileScreen(saves=False, first="")
        if not self.unsaved():
            self.app.push_screen(question, chosen)
            return
        replaces = ConfirmScreen("Open a sweep file", "What is filled in here gives way to the file.", "Open one")

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.push_screen(question, chosen)

        self.app.push_screen(replaces, answered)

    async def _fill_from(self, path: Path) -> None:
        try:
            file = read_sweep_file(path, {})
        except (UserError, OSError) as error:
            self.notify(str(error), severity="error", timeout=10)
            return
        self._first = Draft.of_asked(file.seen_from_here(), name=file.name, where=file.where)
        self._is_filled, self._file = True, path
        self._is_filling = True
        await self.query_one(RunForm).remove()
        filled = RunForm(self._first, self._recent(), touched=True, id="form")
        await self.query_one("#asked").mount(filled, before="#tasks-asked")
        self._is_filling = False
        self._begun = self.draft()
        self.query_one("#model").focus()
        self.lookups.look_at_tasks(self.draft().include_paths)
        self._look_at_model()
        self._refresh()
        self.notify(f"{path} is open: f4 saves what is changed.")

    def action_save_file(self) -> None:
        draft = self.draft()
        problems = draft.problems()
        if draft.own_profile is not None:
            problems["profile"] = "A sweep file has no place for a profile with settings of its own."
        if problems:
            self.query_one(RunForm).show_problems(problems, everywhere=True)
            self.notify(next(iter(problems.values())), severity="error", timeout=6)
            return

        def chosen(path: Path | None) -> None:
            if path is None:
                return
            try:
                write_sweep(path, draft.asked(), draft.where())
            except OSError as error:
                self.notify(f"{path} cannot be written: {error.strerror}.", severity="error")
                return
            self._file, self._begun = path, draft
            self.notify(f"Saved {path.resolve()}: `{hint('run', str(path), db=self.host.database)}` carries it out.")

        self.app.push_screen(SweepFileScreen(saves=True, first=str(self._file or "sweep.toml")), chosen)

    @property
    def _is_open(self) -> bool:
        """Whether it is composed and not being closed: the form's rows go before the last of what stands here does."""
        return self in self.app.screen_stack and bool(self.query(KeyFooter))

    def _look_at_model(self) -> None:
        if not self._is_open:  # closed since the key that this follows
            return
        draft = self.draft()
        if draft.model.strip() and "model" not in draft.problems():
            self.lookups.look_at_model(_first_model(draft))

    def _recent(self) -> list[str]:
        models = [row.model for row in self.host.feed.snapshot.runs if row.folder is not None and row.model]
        return list(dict.fromkeys([*models, DEMO_MODEL]))

    def _refresh(self) -> None:
        if not self._is_open or self._is_filling:
            return
        draft = self.draft()
        problems = self._problems(draft)
        self.query_one(RunForm).show_problems(problems)
        self._show_tasks(draft, problems)
        outlook = self.query_one(RunOutlook)
        if problems:
            outlook.show_problem(next(iter(problems.values())))
            return
        plans, seen = draft.plans(), self._forecast(draft)
        plan = plans[0]
        outlook.show(
            seen,
            self._memory(draft, plan, seen),
            self._command(draft),
            runs=[self._forecast_of(draft, one) for one in plans],
            baseline=any(str(level) == "0" for level in plan.levels),
            compiled=plan.compile_layers,
        )

    def _show_tasks(self, draft: Draft, problems: dict[str, str]) -> None:
        wrong = {"tasks", "shots"} & set(problems)
        self.query_one(TaskList).show(() if wrong else draft.specs(), self.lookups.index)

    def _command(self, draft: Draft) -> str:
        """Or why there is none."""
        try:
            return command(draft, self.host.database)
        except UserError as error:
            return str(error)

    def _problems(self, draft: Draft) -> dict[str, str]:
        problems = draft.problems(self.lookups.index)
        if self._is_looked_at(draft) and self.lookups.model_problem and "model" not in problems:
            problems["model"] = self.lookups.model_problem
        if not problems and (code := self._code(draft)) and not draft.trust_task_code:
            problems["include_paths"] = f"{code}: read it, and switch “code” on if you trust it."
        if not problems and (seen := self._forecast(draft)).problem:
            field = "calibration_tokens" if "calibration-tokens" in seen.problem else "levels"
            problems[field] = seen.problem
        return problems

    def _code(self, draft: Draft) -> str:
        """What of the tasks' files is code from outside lm-eval, as far as they are known."""
        entries = [self.lookups.index.get(spec.name) for spec in draft.plan().tasks]
        return next((entry.code for entry in entries if entry is not None and entry.code), "")

    def _forecast(self, draft: Draft) -> Forecast:
        return self._forecast_of(draft, draft.plan())

    def _forecast_of(self, draft: Draft, plan: RunPlan) -> Forecast:
        """Of a sweep's models the first alone is looked at."""
        known = self._is_looked_at(draft) and plan.model == draft.plan().model
        earlier = self.host.feed.snapshot
        shape = self.lookups.shape if known else None
        return forecast(
            plan, shape, self.lookups.index, earlier.timings, earlier.startups, earlier.lookings, earlier.draws
        )

    def _memory(self, draft: Draft, plan: RunPlan, seen: Forecast) -> MemoryForecast | str:
        """Or why it is not known."""
        if not self._is_looked_at(draft):
            return "looking at the model …"
        if self.lookups.unseen is not None:
            return f"not known. {self.lookups.unseen} A run of it can be started all the same."
        if self.lookups.shape is None:
            return "not known: nothing of this model is here yet"
        return memory_forecast(plan, self.lookups.shape, self.lookups.readings, generates=bool(seen.generating))

    def _is_looked_at(self, draft: Draft) -> bool:
        return self.lookups.model == _first_model(draft)


def _first_model(draft: Draft) -> str:
    return draft.model.split(",")[0].strip()
