"""What is found out, in threads, while the form for a new run is filled: tasks, model, memory of this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from textual.app import App

from engine import gpu
from engine.errors import UserError
from engine.planning import preview, task_index
from engine.planning.preview import Shape, UnseenError
from engine.planning.task_index import TaskEntry
from tui.shell.background import ask
from warehouse.records.reading import Reading

Answer = TypeVar("Answer")


@dataclass(slots=True)
class Lookups:
    """The latest answers; `changed` is called on the event loop when there is a new one.

    `index` are the tasks by name, empty until they are known; `shape` and `model_problem` are of `model`, which is
    None until the first was looked at; a shape of None is a model of which nothing is here, or, with `unseen`, nothing
    could be found out.
    """

    app: App[None]
    changed: Callable[[], None]
    index: dict[str, TaskEntry] = field(default_factory=dict)
    index_problem: str | None = None
    model: str | None = None
    shape: Shape | None = None
    model_problem: str | None = None
    unseen: str | None = None
    readings: tuple[Reading, ...] = ()
    _folders: tuple[str, ...] = ()
    _wanted: str = ""

    def look_at_tasks(self, include_paths: str) -> None:
        """Those of lm-eval and those in the folders, written with commas between them."""
        folders = tuple(text.strip() for text in include_paths.split(",") if text.strip())
        self._folders = folders

        def loaded(answer: tuple[tuple[TaskEntry, ...] | None, str | None]) -> None:
            if self._folders == folders:
                entries, self.index_problem = answer
                self.index = {entry.name: entry for entry in entries or ()}
                self.changed()

        ask(self.app, lambda: _or_problem(lambda: task_index.load(folders)), loaded)

    def look_at_model(self, model: str) -> None:
        self._wanted = model

        def seen(answer: tuple[Shape | UnseenError | None, str | None]) -> None:
            if self._wanted == model:
                self.model = model
                shape, self.model_problem = answer
                self.shape, self.unseen = (None, str(shape)) if isinstance(shape, UnseenError) else (shape, None)
                self.changed()

        ask(self.app, lambda: _or_problem(lambda: _shape(model)), seen)

    def look_at_memory(self) -> None:
        def read(readings: tuple[Reading, ...]) -> None:
            self.readings = readings
            self.changed()

        ask(self.app, lambda: tuple(gpu.machine()), read)


def _shape(model: str) -> Shape | UnseenError | None:
    try:
        return preview.inspect(model)
    except UnseenError as error:
        return error


def _or_problem(question: Callable[[], Answer]) -> tuple[Answer | None, str | None]:
    try:
        return question(), None
    except UserError as error:
        return None, str(error)
