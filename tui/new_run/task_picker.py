"""Looking for tasks among all that lm-eval knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from engine.planning.task_index import TaskEntry

_SHOWN = 200


class TaskPickerScreen(ModalScreen[tuple[str, ...]]):
    """Answers with the chosen names, in the order in which they were chosen."""

    CSS = """
    TaskPickerScreen .dialog { height: 90%; width: 72; }
    TaskPickerScreen OptionList, TaskPickerScreen OptionList:focus {
        height: 1fr; margin: 1 0 0 0; border: none; padding: 0;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+s,f2", "done", "Done", priority=True),
        Binding("down", "into_list", show=False),
    ]

    def __init__(self, entries: Sequence[TaskEntry], chosen: Sequence[str]) -> None:
        super().__init__()
        self._entries = entries
        self._chosen = list(chosen)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Tasks"
            dialog.border_subtitle = "enter chooses · esc is done"
            yield Input(placeholder="part of a name, such as arc or mmlu_astro", compact=True)
            yield OptionList()
            yield Static(id="chosen", markup=False, classes="muted")

    def on_mount(self) -> None:
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def on_input_submitted(self) -> None:
        options = self.query_one(OptionList)
        if options.option_count:
            options.highlighted = options.highlighted or 0
            options.action_select()

    def action_into_list(self) -> None:
        self.query_one(OptionList).focus()

    def action_done(self) -> None:
        self.dismiss(tuple(self._chosen))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        name = str(event.option_id)
        if name in self._chosen:
            self._chosen.remove(name)
        else:
            self._chosen.append(name)
        self._fill(self.query_one(Input).value, keep=event.option_index)

    def _fill(self, text: str, *, keep: int = 0) -> None:
        parts = text.lower().split()
        entries = [entry for entry in self._entries if all(part in entry.name.lower() for part in parts)]
        entries.sort(key=lambda entry: (entry.name not in self._chosen, len(entry.name) if parts else 0, entry.name))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self._line(entry), id=entry.name) for entry in entries[:_SHOWN]])
        if entries:
            options.highlighted = min(keep, len(entries[:_SHOWN]) - 1)
        more = f", the first {_SHOWN} are shown" if len(entries) > _SHOWN else ""
        chosen = ", ".join(self._chosen) or "none yet"
        self.query_one("#chosen", Static).update(f"{len(entries):,} of {len(self._entries):,}{more}. Chosen: {chosen}")

    def _line(self, entry: TaskEntry) -> Text:
        mark = "● " if entry.name in self._chosen else "○ "
        kind = f"group of {len(entry.parts)}" if entry.parts else entry.kind if entry.kind != "task" else ""
        muted = self.app.theme_variables["neutral"]
        return Text.assemble(mark, entry.name, ("  " + kind if kind else "", muted), no_wrap=True, overflow="ellipsis")
