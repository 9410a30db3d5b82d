"""The benchmarks that the form asks for as it stands: shots, and how each is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from engine.planning.suites import TaskSpec
from engine.planning.task_index import TaskEntry
from tui.format import answers_of
from warehouse.text import counted


class TaskList(VerticalScroll, can_focus=False):
    """Below the form, where there is room."""

    def compose(self) -> ComposeResult:
        yield Static(id="task-lines")

    def on_mount(self) -> None:
        self.show((), {})

    def show(self, specs: Sequence[TaskSpec], index: Mapping[str, TaskEntry]) -> None:
        """`index` is empty until lm-eval's tasks have been read."""
        self.border_title = f"Benchmarks · {len(specs)}" if specs else "Benchmarks"
        lines = self.query_one("#task-lines", Static)
        if not specs:
            lines.update("A suite, or tasks by name: f2 finds them.")
            return
        quiet = self.app.theme_variables["neutral"]
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style=quiet)
        table.add_column("task", no_wrap=True)
        table.add_column("shots", justify="right")
        table.add_column("answers")
        for spec in specs:
            entry = index.get(spec.name)
            shots = spec.num_fewshot if spec.num_fewshot is not None or entry is None else entry.num_fewshot
            table.add_row(Text(spec.name), "its own" if shots is None else str(shots), _answers(entry))
        lines.update(table)


def _answers(entry: TaskEntry | None) -> str:
    if entry is None:
        return ""
    return f"{entry.kind} of {counted(len(entry.parts), 'task')}" if entry.parts else answers_of(entry)
