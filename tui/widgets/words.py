"""Words on a screen that is refreshed all the time."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.widgets import Static


class Words(Static):
    """Text that is drawn again only where it has changed: drawing holds up the keys."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, markup=False)
        self._said = Text()

    def say(self, text: Text, *, layout: bool = True) -> None:
        """Without `layout` where its size cannot change: then nothing else is measured anew."""
        if text != self._said:
            before, self._said = self._said, text
            self.update(text, layout=layout and _shape(text) != _shape(before))


def _shape(text: Text) -> list[list[int]]:
    """The widths of the words of each line: where they are equal, lines wrap alike."""
    return [[cell_len(word) for word in line.split(" ")] for line in text.plain.split("\n")]
