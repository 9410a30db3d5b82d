"""The keys of the screen below, and what it is for: written from the screen's own bindings."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui.shell.hints import hints


class HelpScreen(ModalScreen[None]):
    CSS = """
    HelpScreen .dialog { max-height: 90%; width: 76; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close"),
        Binding("j", "scroll('down')", show=False),
        Binding("k", "scroll('up')", show=False),
    ]

    def __init__(self, of: Screen[Any]) -> None:
        super().__init__()
        self._title = of.title or type(of).__name__.removesuffix("Screen")
        self._about = of.HELP or ""
        self._keys = _keys(of)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = f"{self._title}: help"
            dialog.border_subtitle = "esc closes"
            if self._about:
                yield Static(self._about.strip() + "\n", markup=False)
            yield Static(self._table())

    def action_scroll(self, way: str) -> None:
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_down() if way == "down" else scroll.scroll_up()

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column()
        for heading, keys in self._keys:
            table.add_row(Text(heading, style="bold"), "")
            for key, what in keys:
                table.add_row(Text(f"  {key}", style=self.app.theme_variables["accent"]), what)
        return table


def _keys(screen: Screen[Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Key and words of what can be pressed now: on the screen, where the focus is, and everywhere."""
    headings: dict[str, dict[str, list[str]]] = {"This screen": {}, "Here": {}, "Everywhere": {}}
    for hint in hints(screen):
        # Moving about by arrows and pages needs no words.
        words = hint.tooltip or hint.binding.tooltip or (hint.binding.description if hint.binding.show else "")
        if words and hint.enabled:
            where = "Everywhere" if hint.node is screen.app else "This screen" if hint.node is screen else "Here"
            headings[where].setdefault(words, []).append(hint.key)
    return [
        (heading, [(" ".join(dict.fromkeys(names)), words) for words, names in keys.items()])
        for heading, keys in headings.items()
        if keys
    ]
