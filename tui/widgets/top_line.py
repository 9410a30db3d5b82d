"""The line at the head of every screen: where one can go, and of which database, machine and devices all of it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.events import Click
from textual.widget import Widget

from tui.host import host

_NAME = "prune-tui"


@dataclass(frozen=True, slots=True)
class Tab:
    """A screen's key and title, and the columns that they take."""

    mode: str
    text: str
    left: int
    right: int


class TopLine(Widget, can_focus=False):
    """A click on a screen's name goes there."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"top-line--name", "top-line--here", "top-line--key", "top-line--about"}
    DEFAULT_CSS = """
    TopLine {
        dock: top;
        height: 1;
        background: $panel;
        color: $foreground;
        & > .top-line--name { color: $primary; text-style: bold; }
        & > .top-line--here { background: $primary; color: $background; text-style: bold; }
        & > .top-line--key { color: $footer-key-foreground; text-style: bold; }
        & > .top-line--about { color: $text-muted; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: tuple[object, ...] = ()
        self.tabs: list[Tab] = []

    def update(self) -> None:
        """Look again what is to be said."""
        told = (self.app.current_mode, tuple(host(self).about()), self.app.theme)
        if told != self._told:
            self._told = told
            self.refresh()

    def on_mount(self) -> None:
        self.update()

    def render(self) -> Text:
        name, here, key, about = (
            self.get_component_rich_style(f"top-line--{part}", partial=True)
            for part in ("name", "here", "key", "about")
        )
        line = Text(no_wrap=True, end="")
        line.append(f" {_NAME} ", name)
        self.tabs = []
        for entry in host(self).entries:
            left = line.cell_len
            if entry.mode == self.app.current_mode:
                line.append(f" {entry.key} {entry.title} ", here)
            else:
                line.append(f" {entry.key}", key).append(f" {entry.title} ")
            self.tabs.append(Tab(entry.mode, entry.title, left, line.cell_len))
        room = self.size.width - line.cell_len - 2
        said = fitting(host(self).about(), room)
        line.append(" " * (room + 1 - cell_len(said))).append(said, about)
        return line

    def on_click(self, event: Click) -> None:
        if tab := next((one for one in self.tabs if one.left <= event.x < one.right), None):
            self.app.switch_mode(tab.mode)


def fitting(parts: list[str], room: int) -> str:
    """As many parts as there is room for, the first ones first."""
    for kept in range(len(parts), 0, -1):
        if cell_len(said := " · ".join(parts[:kept])) <= room:
            return said
    return ""
