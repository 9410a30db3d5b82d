"""The keys of the screen below, and what it is for: written from the screen's own bindings."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.dom import DOMNode
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
        accent, grey = self.app.theme_variables["accent"], self.app.theme_variables["neutral"]
        for heading, keys in self._keys:
            table.add_row(Text(heading, style="bold"), "")
            for key, what, applies in keys:
                words = Text(what) if applies else Text(f"{what} (not now)", grey)
                table.add_row(Text(f"  {key}", style=accent if applies else grey), words)
        return table


def _keys(screen: Screen[Any]) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Keys, words, and whether that does something now: of the screen, of where the focus is, and of everywhere."""
    headings: dict[str, dict[tuple[str, bool], list[str]]] = {"This screen": {}, "Here": {}, "Everywhere": {}}
    applying: set[tuple[str, str]] = set()
    for hint in hints(screen):
        # Moving about by arrows and pages needs no words.
        words = hint.tooltip or _words(hint.binding)
        if words and hint.enabled:
            applying.add((hint.binding.action, words))
            headings[_where(screen, hint.node)].setdefault((words, True), []).append(hint.key)
    for node, bindings in screen._modal_binding_chain:
        for _, binding in bindings:
            words = _words(binding)
            if words and (binding.action, words) not in applying:
                key = screen.app.get_key_display(binding)
                headings[_where(screen, node)].setdefault((words, False), []).append(key)
    return [
        (heading, [(" ".join(dict.fromkeys(names)), *words) for words, names in keys.items()])
        for heading, keys in headings.items()
        if keys
    ]


def _words(binding: Binding) -> str:
    return binding.tooltip or (binding.description if binding.show else "")


def _where(screen: Screen[Any], node: DOMNode) -> str:
    return "Everywhere" if node is screen.app else "This screen" if node is screen else "Here"
