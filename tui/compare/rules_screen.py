"""The rules by which a level is called best: one is chosen here, changed, or written anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from tui.shell import background
from warehouse.errors import UserError
from warehouse.read import rules
from warehouse.read.rules import Rule


class RulesScreen(ModalScreen[str | None]):
    """Answers the name of the rule that is in use from now on, or None where none was chosen."""

    CSS_PATH = "compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("ctrl+s", "save", "Save and use", priority=True, tooltip="Save the text as this rule, and use it"),
    ]

    def __init__(self, database: Path) -> None:
        super().__init__()
        self._database = database
        self._rules: list[Rule] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="rules") as dialog:
            dialog.border_title = "The rule by which a level is best"
            yield OptionList(id="rules-list")
            yield TextArea(id="rules-text", compact=True, soft_wrap=False, tab_behavior="focus")
            yield Static(id="rules-said")
            yield Label("[b]enter[/b] use · [b]tab[/b] change it · [b]ctrl+s[/b] save and use · [b]esc[/b] back")

    def on_mount(self) -> None:
        self._attempt(lambda: rules.read_rules(self._database), self._show)

    def _show(self, found: list[Rule]) -> None:
        self._rules = found
        listed = self.query_one(OptionList)
        listed.add_options(
            Option(Content(f"{'●' if one.in_use else ' '} {one.name}  {one.description}")) for one in found
        )
        listed.highlighted = 0
        listed.focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one(TextArea).text = rules.to_toml(self._rules[event.option_index])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        name = self._rules[event.option_index].name
        self._attempt(lambda: rules.use_rule(self._database, name), lambda _: self.dismiss(name))

    def action_save(self) -> None:
        text = self.query_one(TextArea).text

        def save() -> str:
            name = rules.save_rule(self._database, rules.from_toml(text)).name
            rules.use_rule(self._database, name)
            return name

        self._attempt(save, self.dismiss)

    def _attempt(self, act: Callable[[], object], then: Callable[..., object]) -> None:
        """In a thread; what is wrong is said below the text, which stays as it was typed."""

        def ask() -> tuple[object, str]:
            try:
                return act(), ""
            except (UserError, OSError) as error:
                return None, background.sentence(error)

        def answered(answer: tuple[object, str]) -> None:
            if not self.is_current:
                return
            said = self.query_one("#rules-said", Static)
            said.update(Text(answer[1]))
            if not answer[1]:
                then(answer[0])

        self.query_one("#rules-said", Static).update(Text("…"))
        background.ask(self.app, ask, answered)
