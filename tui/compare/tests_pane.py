"""Which of two loses more, by a test, one pair of models or methods at a time."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from tui.compare.grids import TestsModel
from tui.compare.wording import Pair, pairs, tally
from tui.widgets.grid import Grid
from tui.widgets.palette import Palette
from warehouse.read.side_by_side import PairTest

_NO_PAIR = (
    "No two of the chosen can be tested at this width: they need the same conditions, and the same method or the same "
    "model."
)


class TestsPane(Vertical):
    """Shows the tests of a pair, of all that were measured at one width."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._pairs: list[Pair] = []
        self._at = ""
        self._index = 0

    def compose(self) -> ComposeResult:
        yield Static(id="tests-title", classes="title")
        yield Grid(by_row=True, id="tests")
        yield Static(id="tests-says")

    @property
    def pair(self) -> Pair | None:
        return self._pairs[self._index % len(self._pairs)] if self._pairs else None

    @property
    def title(self) -> str:
        return f"Which loses more at {self._at}{f': {self.pair.name}' if self.pair else ''}"

    def show(self, tests: list[PairTest], basis_value: float | None, at: str) -> None:
        """The pairs at one percentage or expansion ratio; `at` is its name."""
        self._pairs = pairs(tests, basis_value)
        self._at = at
        self._draw()

    def next_pair(self) -> None:
        self._index += 1
        self._draw()

    def _draw(self) -> None:
        grid = self.query_one("#tests", Grid)
        title, says = self.query_one("#tests-title", Static), self.query_one("#tests-says", Static)
        pair = self.pair
        grid.display = pair is not None
        grid.show(TestsModel(pair, Palette.of(self)))
        grid.bound_height()
        if pair is None:
            title.update("")
            says.update(Text(_NO_PAIR))
            return
        count = len(self._pairs)
        which = f"  {self._index % count + 1} of {count}" if count > 1 else ""
        title.update(Text.assemble(self.title, (which, "not bold")))
        says.update(tally(pair))
