"""Small dialogs: choose several things of a list, or one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option


class ChooseSeveral(ModalScreen[list[str] | None]):
    """Answers the keys chosen, or None when it was left with escape. `options` are (key, label)."""

    CSS_PATH = "choose.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("enter", "take", "Show these", priority=True),
        Binding("space", "choose", "Choose", priority=True),
        Binding("a", "all", "All", show=False),
        Binding("j", "cursor(1)", "Down", show=False),
        Binding("k", "cursor(-1)", "Up", show=False),
    ]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], chosen: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._options = options
        self._chosen = set(chosen)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._title
            yield OptionList(*(Option(self._line(key, label)) for key, label in self._options))
            yield Label(
                "[b]space[/b] choose · [b]a[/b] all or none · [b]enter[/b] show these · [b]esc[/b] cancel",
                classes="muted",
            )

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def _line(self, key: str, label: str) -> Content:
        return Content(f"{'[x]' if key in self._chosen else '[ ]'} {label}")

    def action_cursor(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def action_choose(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is not None:
            self._chosen ^= {self._options[index][0]}
            self._redraw(index)

    def on_option_list_option_selected(self) -> None:
        """A click: enter is taken before the list sees it."""
        self.action_choose()

    def action_all(self) -> None:
        keys = {key for key, _ in self._options}
        self._chosen = set() if self._chosen >= keys else keys
        for index in range(len(self._options)):
            self._redraw(index)

    def _redraw(self, index: int) -> None:
        self.query_one(OptionList).replace_option_prompt_at_index(index, self._line(*self._options[index]))

    def action_take(self) -> None:
        if not self._chosen:
            self.notify("Choose at least one.", severity="warning")
            return
        self.dismiss([key for key, _ in self._options if key in self._chosen])


class ChooseOne(ModalScreen[str | None]):
    """Answers the key chosen, or None when it was left with escape."""

    CSS_PATH = "choose.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("j", "cursor(1)", "Down", show=False),
        Binding("k", "cursor(-1)", "Up", show=False),
    ]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], chosen: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._options = options
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._title
            yield OptionList(*(Option(Content(label)) for _, label in self._options))
            yield Label("[b]enter[/b] choose · [b]esc[/b] cancel", classes="muted")

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        keys = [key for key, _ in self._options]
        options.highlighted = keys.index(self._chosen) if self._chosen in keys else 0
        options.focus()

    def action_cursor(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._options[event.option_index][0])
