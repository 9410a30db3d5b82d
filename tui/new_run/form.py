"""The fields of a new run, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Select, Static

from engine.planning.draft import Draft
from engine.planning.methods import pruning_methods
from engine.planning.plan import DTYPES
from engine.planning.suites import DEMO_MODEL, SUITES
from tui.shell.background import after_refresh
from tui.shell.choose import ChooseSeveral
from tui.widgets.level_row import LEVELS, LevelRow
from tui.widgets.toggle import Toggle
from warehouse.records.names import short_name

_CHECKED = (
    "model", "calibration", "calibration_tokens", "levels", "tasks", "shots", "limit", "device", "batch_tokens",
    "seeds", "include_paths", "gpus", "on",
)  # fmt: skip
_REPAIRS = {"none": "none", "lsq": "lsq: fit down_proj"}
_SEVERAL = "…"  # chosen to choose several


class RunForm(VerticalScroll, can_focus=False):
    """Holds a draft as fields.

    A field is `touched` once something was typed in it: what is wrong is not said of fields that nobody has reached.
    """

    class Changed(Message):
        """A field holds something else now; `field` is the draft's name of it."""

        def __init__(self, field: str) -> None:
            super().__init__()
            self.field = field

    class Submitted(Message):
        """The button was pressed."""

    def __init__(self, first: Draft, recent: Sequence[str], *, touched: bool, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._first = first
        self._recent = recent
        self._touched: set[str] = set(Draft.__dataclass_fields__) if touched else set()

    def compose(self) -> ComposeResult:
        first = self._first
        written = [level for level in first.levels.split(",") if level]
        suites = [("none: the tasks below", ""), *((name, name) for name in SUITES)]
        with _row("model"):
            yield Input(
                first.model,
                placeholder="name on the hub, folder, or demo",
                suggester=SuggestFromList(self._recent, case_sensitive=False),
                compact=True,
                id="model",
            )
            recent = [(short_name(model), model) for model in self._recent]
            yield Select(recent, prompt="recent", compact=True, id="recent")
        yield Static(first.settings_apart(), id="apart", classes="muted", markup=False)
        with _row("method"):
            yield _choices("method", _methods(first.method), first.method)
            yield Label("name")
            yield _text("name", first.name, "the model's")
        with _row("repair"):
            yield _choices("repair", _REPAIRS, first.repair)
            yield Label("damage")
            yield Toggle("KL and top-1", first.damage, id="damage")
        with _row("text"):
            yield _text("calibration", first.calibration, "self, a file, task:NAME")
            yield Label("tokens")
            yield _text("calibration_tokens", first.calibration_tokens, "by the device")
        with _row("levels", first=True):
            yield LevelRow(written, id="levels")
            others = ", ".join(level for level in written if level not in LEVELS)
            yield _text("others", others, "15, 2.4x, w4096")
        with _row("suite", first=True):
            yield Select(suites, value=first.suite, allow_blank=False, compact=True, id="suite")
            yield Label("costs")
            yield Toggle("time, memory, energy", first.profile, id="profile")
        with _row("tasks"):
            yield _text("tasks", first.tasks, "piqa, gsm8k@5, …  (f2 finds)")
        with _row("shots"):
            yield _text("shots", first.shots, "each task's own")
            yield Label("limit")
            yield _text("limit", first.limit, "all documents")
        with _row("dtype", first=True):
            yield _choice("dtype", DTYPES, first.dtype)
            yield Label("device")
            yield _text("device", first.device if first.device != "auto" else "", "auto")
            yield Label("on")
            yield _text("on", first.on, "here; ray")
        with _row("batch"):
            yield _text("batch_tokens", first.batch_tokens, "tokens: by memory")
            yield Label("compile")
            yield Toggle("for long runs on a GPU", first.compile_layers, id="compile_layers")
        with _row("seed"):
            yield _text("seeds", first.seeds, "lm-eval's: 0,1234,1234,1234")
            yield Label("gpus")
            yield _text("gpus", first.gpus, "all, or 0,1")
        with _row("own tasks"):
            yield _text("include_paths", first.include_paths, "folders of task files")
            yield Label("code")
            yield Toggle("let them run Python", first.trust_task_code, id="trust_task_code")
        yield Button("Start (ctrl+s)", variant="primary", compact=True, id="start")
        with Vertical(id="problems"):
            yield from (_problem(field) for field in _CHECKED)

    def on_mount(self) -> None:
        self.border_title = "New run"
        self.watch(self, "scroll_y", self._tell_hidden, init=False)
        self.query_one("#apart").display = bool(self._first.settings_apart())
        self._chosen = {"method": self._first.method, "repair": self._first.repair}

    def on_resize(self) -> None:
        after_refresh(self, self._tell_hidden)

    def _tell_hidden(self) -> None:
        """Name the rows that there is no room for."""
        room = self.scrollable_content_region.height - self.query_one("#problems").outer_size.height
        top, bottom = self.scroll_y, self.scroll_y + room
        rows = list(self.query(".row"))
        above = [_name_of(row) for row in rows if row.virtual_region.y < top]
        below = [_name_of(row) for row in rows if row.virtual_region.bottom > bottom]
        told = [f"{arrow} {', '.join(names)}" for arrow, names in (("↑", above), ("↓", below)) if names]
        self.border_subtitle = "  ".join(told)

    def draft(self) -> Draft:
        """What the fields hold now."""

        def text(name: str) -> str:
            return self.query_one(f"#{name}", Input).value

        def choice(name: str) -> str:
            return str(self.query_one(f"#{name}", Select).value)

        chosen = self.query_one(LevelRow).chosen
        levels = [level for level in LEVELS if level in chosen] + [text("others")]
        return Draft(
            model=text("model"),
            method=choice("method"),
            repair=choice("repair"),
            calibration=text("calibration"),
            calibration_tokens=text("calibration_tokens"),
            damage=self.query_one("#damage", Toggle).value,
            profile=self.query_one("#profile", Toggle).value,
            levels=",".join(level for level in levels if level.strip()),
            suite=choice("suite"),
            tasks=text("tasks"),
            shots=text("shots"),
            limit=text("limit"),
            include_paths=text("include_paths"),
            dtype=choice("dtype"),
            device=text("device"),
            batch_tokens=text("batch_tokens"),
            compile_layers=self.query_one("#compile_layers", Toggle).value,
            trust_task_code=self.query_one("#trust_task_code", Toggle).value,
            seeds=text("seeds"),
            name=text("name"),
            on=text("on"),
            gpus=text("gpus"),
            alone=self._first.alone,
            like=self._first.like,
            kept=self._first.kept,
            own=self._first.own,
        )

    def set_tasks(self, specs: Sequence[str]) -> None:
        self.query_one("#tasks", Input).value = ", ".join(specs)

    def show_problems(self, problems: Mapping[str, str], *, everywhere: bool = False) -> None:
        """Say what is wrong with the fields that were touched, or with all of them from now on.

        It is said below the fields, which stay where they are.
        """
        if everywhere:
            self._touched = set(Draft.__dataclass_fields__)
        for field in _CHECKED:
            line = self.query_one(f"#{field}-problem", Static)
            shown = problems.get(field) if field in self._touched else None
            label = self._label(field)
            label.set_class(shown is not None, "wrong")
            line.display = shown is not None
            line.update(Text(f"! {label.content}: {shown}" if shown else ""))
        self.query_one("#start", Button).disabled = bool(problems)
        after_refresh(self, self._tell_hidden)

    def _label(self, field: str) -> Label:
        """What stands before a field."""
        row = self.query_one(f"#{field}").parent
        assert row is not None
        before = list(row.children)
        while before.pop().id != field:
            pass
        return next(one for one in reversed(before) if isinstance(one, Label))

    def _has(self, field: str) -> bool:
        return bool(self.query_one(f"#{field}", Input).value.strip())

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        field = {"others": "levels"}.get(str(event.input.id), str(event.input.id))
        if event.value:
            self._touched.add(field)
        suite = self.query_one("#suite", Select)
        if field == "tasks" and event.value.strip():
            suite.value = ""
        elif field == "model" and event.value.strip() == DEMO_MODEL and not (suite.value or self._has("tasks")):
            suite.value = DEMO_MODEL  # its own benchmarks, which need no data from elsewhere
        self.post_message(self.Changed(field))

    @on(Select.Changed)
    def _selected(self, event: Select.Changed) -> None:
        event.stop()
        if event.select.id == "recent":
            if event.value is not Select.NULL:
                self.query_one("#model", Input).value = str(event.value)
                event.select.clear()
            return
        if event.select.id in ("method", "repair"):
            if event.value == _SEVERAL:
                self._choose_several(event.select)
                return
            self._chosen[event.select.id] = str(event.value)
        if event.select.id == "suite" and event.value:
            self.query_one("#tasks", Input).value = ""
            self._touched.add("tasks")
        self.post_message(self.Changed(str(event.select.id)))

    def _choose_several(self, select: Select[Any]) -> None:
        """Of methods or repairs, each of which is a run of its own."""
        name = str(select.id)
        titles, before = _methods("") if name == "method" else _REPAIRS, self._chosen[name]

        def chosen(names: list[str] | None) -> None:
            value = before if names is None else ",".join(names)
            select.set_options(_options(titles, value))
            select.value = value

        options = [(key, title) for key, title in titles.items() if key]
        self.app.push_screen(ChooseSeveral(f"{name.capitalize()}s, a run for each", options, before.split(",")), chosen)

    @on(LevelRow.Changed)
    def _levels_changed(self, event: LevelRow.Changed) -> None:
        event.stop()
        self._touched.add("levels")
        self.post_message(self.Changed("levels"))

    @on(Toggle.Changed)
    def _switched(self, event: Toggle.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(str(event.toggle.id)))

    @on(Button.Pressed, "#start")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(self.Submitted())


def _row(label: str, *, first: bool = False) -> Horizontal:
    """`first` of a group of them, before which there is a gap where there is room."""
    row = Horizontal(classes="row first" if first else "row")
    row.compose_add_child(Label(label))
    return row


def _name_of(row: Widget) -> str:
    return str(row.query_one("Label:first-child", Label).content)


def _text(name: str, value: str, placeholder: str) -> Input:
    return Input(value, placeholder=placeholder, compact=True, id=name)


def _methods(chosen: str) -> dict[str, str]:
    titles = {method.name: f"{method.name}: {method.declared.title}" for method in pruning_methods()}
    # That of an earlier run may have gone with its package; starting says so.
    return {name: name for name in chosen.split(",") if name} | titles


def _choices(name: str, titles: Mapping[str, str], chosen: str) -> Select[str]:
    return Select(_options(titles, chosen), value=chosen, allow_blank=False, compact=True, id=name)


def _options(titles: Mapping[str, str], chosen: str) -> list[tuple[str, str]]:
    """Each by itself, those that are chosen together, and the way to choose others."""
    found = [(title, name) for name, title in titles.items()]
    if chosen not in titles:
        found.append((chosen.replace(",", ", "), chosen))
    return [*found, ("several …", _SEVERAL)]


def _choice(name: str, values: Sequence[str], chosen: str) -> Select[str]:
    options = [(value, value) for value in values]
    return Select(options, value=chosen, allow_blank=False, compact=True, id=name)


def _problem(field: str) -> Static:
    line = Static(id=f"{field}-problem", classes="problem", markup=False)
    line.display = False
    return line
