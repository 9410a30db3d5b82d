"""Choose what to run, see what will happen, start it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, VerticalScroll
from textual.screen import Screen
from textual.suggester import SuggestFromList
from textual.timer import Timer
from textual.widgets import Button, Footer, Input, Label, Select, Static

from engine import preview, task_index
from engine.errors import UserError
from engine.plan import DTYPES, METHODS, RunPlan
from engine.preview import Shape
from engine.suites import DEMO_MODEL, SUITES
from engine.task_index import TaskEntry
from tui import format as fmt
from tui.actions import start_new
from tui.background import ask
from tui.draft import Draft, command
from tui.forecast import Forecast, forecast
from tui.screens.task_picker import TaskPickerScreen
from tui.states import level_text, model_text
from tui.widgets.key_footer import KeyFooter
from tui.widgets.level_row import LEVELS, LevelRow

if TYPE_CHECKING:
    from tui.app import Dashboard

_PAUSE = 0.6  # seconds after the last key before a model is looked at


class NewRunScreen(Screen[None]):
    TITLE = "New run"
    HELP = (
        "Tab goes from field to field. What is wrong is said as you type; what will happen, and the command that does "
        "the same from a shell, stand beside the form. The run is a process of its own: it goes on when this closes."
    )
    CSS_PATH = "../styles/new_run.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Start", tooltip="Start the run", priority=True),
        Binding("f2", "pick", "Find tasks", tooltip="Search all tasks and groups that lm-eval knows"),
        Binding("ctrl+y", "copy_command", "Copy command", tooltip="Copy the equivalent prune-tui run …", priority=True),
        Binding("escape", "app.pop_screen", "Back", key_display="esc", tooltip="Leave without starting"),
    ]

    if TYPE_CHECKING:

        @property
        def app(self) -> Dashboard: ...

    def __init__(self, like: RunPlan | None = None) -> None:
        super().__init__()
        self._first = Draft.of(like) if like is not None else Draft()
        self._touched: set[str] = set(Draft.__dataclass_fields__) if like is not None else set()
        self._index: dict[str, TaskEntry] = {}
        self._index_problem: str | None = None
        self._folders: tuple[str, ...] = ()
        self._shape: Shape | None = None
        self._shape_of: str | None = None  # the model that `_shape` and `_model_problem` tell of
        self._model_problem: str | None = None
        self._waiting: Timer | None = None

    def compose(self) -> ComposeResult:
        first = self._first
        written = [level for level in first.levels.split(",") if level]
        with Container(id="halves"):
            with VerticalScroll(id="form"):
                with _row("model"):
                    yield Input(
                        first.model,
                        placeholder="name on the hub, folder, or demo",
                        suggester=SuggestFromList(self._recent(), case_sensitive=False),
                        compact=True,
                        id="model",
                    )
                    yield Select(
                        [(model_text(model), model) for model in self._recent()],
                        prompt="recent",
                        compact=True,
                        id="recent",
                    )
                yield _problem("model")
                with _row("method"):
                    yield Select(
                        [(name, name) for name in METHODS],
                        value=first.method,
                        allow_blank=False,
                        compact=True,
                        id="method",
                    )
                with _row("levels"):
                    yield LevelRow(written, id="levels")
                with _row("also"):
                    others = ", ".join(level for level in written if level not in LEVELS)
                    yield Input(others, placeholder="other levels: 15, 2.4x, w4096", compact=True, id="others")
                yield _problem("levels")
                with _row("suite"):
                    suites = [("none: the tasks below", ""), *((name, name) for name in SUITES)]
                    yield Select(suites, value=first.suite, allow_blank=False, compact=True, id="suite")
                with _row("tasks"):
                    yield Input(first.tasks, placeholder="piqa, gsm8k@5, …  (f2 finds)", compact=True, id="tasks")
                yield _problem("tasks")
                with _row("shots"):
                    yield Input(first.shots, placeholder="each task's own", compact=True, id="shots")
                    yield Label("limit")
                    yield Input(first.limit, placeholder="all documents", compact=True, id="limit")
                yield _problem("shots")
                yield _problem("limit")
                with _row("dtype"):
                    yield Select(
                        [(name, name) for name in DTYPES],
                        value=first.dtype,
                        allow_blank=False,
                        compact=True,
                        id="dtype",
                    )
                    yield Label("device")
                    yield Input(
                        first.device if first.device != "auto" else "", placeholder="auto", compact=True, id="device"
                    )
                yield _problem("device")
                with _row("batch"):
                    yield Input(first.batch_tokens, placeholder="tokens: by memory", compact=True, id="batch_tokens")
                    yield Label("name")
                    yield Input(first.name, placeholder="the model's", compact=True, id="name")
                yield _problem("batch_tokens")
                with _row("own tasks"):
                    yield Input(
                        first.include_paths,
                        placeholder="folders with your task files",
                        compact=True,
                        id="include_paths",
                    )
                yield _problem("include_paths")
                yield Button("Start (ctrl+s)", variant="primary", compact=True, id="start")
            with VerticalScroll(id="preview", can_focus=False):
                yield Static(id="forecast")
                yield Static(id="command")
                yield Static(id="widths")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one("#preview").border_title = "What will happen"
        self.query_one("#form").border_title = "New run"
        self.query_one("#model").focus()
        self._load_index(self._first.include_paths)
        self._look_at_model()
        self._refresh()

    def draft(self) -> Draft:
        """What the form holds now."""

        def text(name: str) -> str:
            return self.query_one(f"#{name}", Input).value

        def choice(name: str) -> str:
            return str(self.query_one(f"#{name}", Select).value)

        chosen = self.query_one(LevelRow).chosen
        levels = [level for level in LEVELS if level in chosen] + [text("others")]
        return Draft(
            model=text("model"),
            method=choice("method"),
            levels=",".join(level for level in levels if level.strip()),
            suite=choice("suite"),
            tasks=text("tasks"),
            shots=text("shots"),
            limit=text("limit"),
            include_paths=text("include_paths"),
            dtype=choice("dtype"),
            device=text("device"),
            batch_tokens=text("batch_tokens"),
            name=text("name"),
            like=self._first.like,
        )

    # What was typed

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        name = str(event.input.id)
        if event.value:
            self._touched.add({"others": "levels"}.get(name, name))
        if name == "tasks" and event.value.strip():
            self.query_one("#suite", Select).value = ""
        if name == "model":
            self._wait_for_model()
        if name == "include_paths":
            self._load_index(event.value)
        self._refresh()

    @on(Select.Changed)
    def _selected(self, event: Select.Changed) -> None:
        if event.select.id == "recent":
            if event.value is not Select.NULL:
                self.query_one("#model", Input).value = str(event.value)
                event.select.clear()
        elif event.select.id == "suite" and event.value:
            self.query_one("#tasks", Input).value = ""
            self._touched.add("tasks")
        self._refresh()

    @on(LevelRow.Changed)
    def _levels_changed(self) -> None:
        self._touched.add("levels")
        self._refresh()

    @on(Button.Pressed, "#start")
    def _start_pressed(self) -> None:
        self.action_start()

    def action_pick(self) -> None:
        if not self._index:
            self.notify(self._index_problem or "The list of tasks is still being read: a moment.")
            return
        shots = {spec.split("@")[0].strip(): spec.strip() for spec in self.draft().tasks.split(",") if spec.strip()}

        def picked(names: tuple[str, ...] | None) -> None:
            if names is not None:
                self.query_one("#tasks", Input).value = ", ".join(shots.get(name, name) for name in names)

        self.app.push_screen(TaskPickerScreen(tuple(self._index.values()), tuple(shots)), picked)

    def action_copy_command(self) -> None:
        try:
            text = command(self.draft().plan(), self.app.database)
        except UserError as error:
            self.notify(str(error), severity="warning")
            return
        self.app.copy_text(text, "The command.", name="command", suffix=".sh")

    def action_start(self) -> None:
        self._touched = set(Draft.__dataclass_fields__)
        problems = self._problems(self.draft())
        self._refresh()
        if problems:
            field, problem = next(iter(problems.items()))
            self.notify(problem, severity="error", timeout=6)
            self.query_one(f"#{field}").focus()
            return
        self._start(self.draft().plan())

    @work(thread=True, exit_on_error=False, group="act", exclusive=True)
    def _start(self, plan: RunPlan) -> None:
        try:
            run = start_new(plan, self.app.database)
        except (UserError, OSError) as error:
            self.app.call_from_thread(self.notify, str(error), severity="error", timeout=8)
            return
        self.app.feed.look_again()
        self.app.call_from_thread(self.app.show_started, self, run.run_id)

    # What is found out meanwhile

    def _load_index(self, include_paths: str) -> None:
        folders = tuple(text.strip() for text in include_paths.split(",") if text.strip())

        def load() -> tuple[tuple[TaskEntry, ...], str | None]:
            try:
                return task_index.load(folders), None
            except UserError as error:
                return (), str(error)

        def loaded(answer: tuple[tuple[TaskEntry, ...], str | None]) -> None:
            if self._folders == folders:
                self._index = {entry.name: entry for entry in answer[0]}
                self._index_problem = answer[1]
                self._refresh()

        self._folders = folders
        ask(self.app, load, loaded)

    def _wait_for_model(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
        self._waiting = self.set_timer(_PAUSE, self._look_at_model)

    def _look_at_model(self) -> None:
        draft = self.draft()
        if draft.model.strip() and "model" not in draft.problems():
            self._inspect(draft.model.strip())

    def _inspect(self, model: str) -> None:
        def look() -> tuple[Shape | None, str | None]:
            try:
                return preview.inspect(model), None
            except UserError as error:
                return None, str(error)

        def seen(answer: tuple[Shape | None, str | None]) -> None:
            if self.query(Footer) and model == self.draft().model.strip():
                self._shape_of = model
                self._shape, self._model_problem = answer
                self._refresh()

        ask(self.app, look, seen)

    # What is shown

    def _recent(self) -> list[str]:
        models = [row.model for row in self.app.feed.snapshot.runs if row.folder is not None and row.model]
        return list(dict.fromkeys([*models, DEMO_MODEL]))

    def _problems(self, draft: Draft) -> dict[str, str]:
        problems = draft.problems(self._index)
        if self._shape_of == draft.model.strip() and self._model_problem and "model" not in problems:
            problems["model"] = self._model_problem
        if not problems and (seen := self._forecast(draft)).problem:
            problems["levels"] = seen.problem
        return problems

    def _forecast(self, draft: Draft) -> Forecast:
        shape = self._shape if self._shape_of == draft.model.strip() else None
        return forecast(draft.plan(), shape, self._index, self.app.feed.snapshot.timings)

    def _refresh(self) -> None:
        if not self.query(Footer):  # not composed yet, or closed
            return
        draft = self.draft()
        problems = self._problems(draft)
        for field in ("model", "levels", "tasks", "shots", "limit", "device", "batch_tokens", "include_paths"):
            line = self.query_one(f"#{field}-problem", Static)
            shown = problems.get(field) if field in self._touched else None
            line.display = shown is not None
            line.update(Text(f"! {shown}" if shown else ""))
        self.query_one("#start", Button).disabled = bool(problems)
        if problems:
            forecast_text, command_text, widths = Text(next(iter(problems.values())), style="italic"), "", Text()
        else:
            forecast_text, widths = self._forecast_text(draft), self._widths_text(draft)
            words = command(draft.plan(), self.app.database)
            command_text = Text.assemble(("\nThe same from a shell (ctrl+y copies):\n", "dim"), words)
        self.query_one("#forecast", Static).update(forecast_text)
        self.query_one("#command", Static).update(command_text)
        self.query_one("#widths", Static).update(widths)

    def _forecast_text(self, draft: Draft) -> Text:
        seen, colours = self._forecast(draft), self.app.theme_variables
        text = Text()
        more = "" if seen.all_known else " or more"
        text.append(f"{seen.cells} cells{more}", style="bold")
        text.append(
            f": {seen.levels} level{'s' * (seen.levels != 1)} × {seen.tasks} task{'s' * (seen.tasks != 1)}{more}\n"
        )
        text.append("time    ")
        if seen.seconds is not None:
            about = "about" if seen.timed == 1 else "roughly"
            text.append(f"{about} {fmt.duration(seen.seconds)}, as earlier runs took\n")
        else:
            text.append("not known: no earlier run of this model and these tasks\n")
        text.append("memory  ")
        if seen.weight_bytes is not None:
            text.append(f"{fmt.size(seen.weight_bytes)} of weights, and the batches' activations\n")
        elif self._shape_of == draft.model.strip():
            text.append("not known: nothing of this model is here yet\n")
        else:
            text.append("looking at the model …\n")
        if "0" not in draft.levels.split(","):
            text.append("! without level 0 there is nothing to compare with\n", style=colours["loss"])
        return text

    def _widths_text(self, draft: Draft) -> Text:
        seen, text = self._forecast(draft), Text()
        if seen.widths and seen.parameters:
            text.append("\nlevel   neurons a layer    parameters\n", style="dim")
            for level, width, parameters in seen.widths:
                share = 100 * parameters / seen.parameters
                text.append(f"{level_text(level):<8}{width:>15,}{fmt.count(parameters):>14}  {share:5.1f}%\n")
        return text


def _row(label: str) -> Horizontal:
    row = Horizontal(classes="row")
    row.compose_add_child(Label(label))
    return row


def _problem(field: str) -> Static:
    line = Static(id=f"{field}-problem", classes="problem", markup=False)
    line.display = False
    return line
