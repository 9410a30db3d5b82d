"""Screens with figures from the database that can be redrawn, and of these the ones whose models can be chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.widgets import Static

from tui.shell.choose import ChooseSeveral
from tui.shell.queries import Rows, choices
from tui.shell.reading import ReadingScreen
from warehouse.read.subjects import Subject


class FiguresScreen(ReadingScreen):
    """Shows the last figures read until there are others. A subclass has parts `PART-title` and `PART-said`."""

    PART: ClassVar[str]

    @property
    def has_figures(self) -> bool:
        raise NotImplementedError

    def show_title(self, said: str) -> None:
        raise NotImplementedError

    def draw(self) -> None:
        """Draw what was read, as when the theme has changed."""
        raise NotImplementedError

    def part(self, name: str) -> Static:
        return self.query_one(f"#{self.PART}-{name}", Static)

    def on_mount(self) -> None:
        self.part("said").display = False
        self.show_title("reading…")
        self.app.theme_changed_signal.subscribe(self, lambda _: self.has_figures and self.draw())

    def said(self, message: str) -> None:
        line = self.part("said")
        line.display = bool(message)
        if message and self.has_figures:
            message = f"Not refreshed, these are the last figures read. {message}"
        line.update(Text(message))
        if message and not self.has_figures:
            self.show_title("")


class SubjectsScreen(FiguresScreen):
    """Offers the models, methods and conditions that there are, and shows the chosen.

    It also has the parts `PART-body`, and `PART-empty` in its place where the database has no results.
    """

    def __init__(self) -> None:
        super().__init__()
        self.subjects: list[str] | None = None
        """The keys of the chosen; None until there is something to choose from."""
        self._known: list[Subject] = []

    def first(self, known: list[Subject]) -> list[str]:
        """The keys of those to show before anybody chose."""
        raise NotImplementedError

    def read(self) -> None:
        """Ask for the figures of the chosen."""
        raise NotImplementedError

    def chose(self, subjects: list[str]) -> None:
        """Somebody chose these keys."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.part("empty").display = False

    def reload(self) -> None:
        if self.database.exists():
            self.ask("choices", [choices()], self._offer)
        else:
            self.show_nothing()

    def _offer(self, answers: list[Rows]) -> None:
        [self._known] = answers
        if not self._known:
            self.show_nothing()
            return
        known = {row.key for row in self._known}
        kept = [one for one in self.subjects or [] if one in known]
        self.subjects = kept or self.first(self._known)
        self.read()

    def show_body(self) -> None:
        self._be_empty(False)

    def show_nothing(self) -> None:
        self._be_empty(True)
        self.show_title("")

    def _be_empty(self, empty: bool) -> None:
        self.empty = empty
        self.part("empty").display = empty
        self.query_one(f"#{self.PART}-body").display = not empty

    def choose(self, title: str, label: Callable[[Subject], str]) -> None:
        """Let somebody choose among those that there are."""
        if not self._known:
            return

        def take(subjects: list[str] | None) -> None:
            if subjects is not None:
                self.chose(subjects)

        options = [(row.key, label(row)) for row in self._known]
        self.app.push_screen(ChooseSeveral(title, options, self.subjects or []), take)
