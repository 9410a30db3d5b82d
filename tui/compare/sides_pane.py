"""Models or methods side by side at one width: scores, changes, intervals, and who is best on how many benchmarks."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from tui.compare.grids import Shown, SidesModel, sides_width
from tui.compare.wording import line_in_words, subject_names
from tui.results.matrix import CHANCE
from tui.widgets.grid import Grid
from tui.widgets.palette import Palette
from warehouse.read.side_by_side import Matched


class SidesPane(Vertical):
    """Scores or intervals beside the changes; both where there is room."""

    intervals = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._rows: list[Matched] = []

    def compose(self) -> ComposeResult:
        yield Grid(by_row=True, id="sides")
        yield Static(id="compare-line")
        yield Static(id="compare-verdict")
        yield Static(id="compare-legend")

    def on_mount(self) -> None:
        self.watch(self.query_one("#sides", Grid), "cursor", self._tell, init=False)

    def show(self, rows: list[Matched], otherwise: str) -> None:
        """The rows of one width; `otherwise` is said where there are none."""
        self._rows = rows
        grid = self.query_one("#sides", Grid)
        sides = SidesModel(rows, Palette.of(self), self._shown())
        grid.show(sides)
        grid.bound_height()
        self.query_one("#compare-verdict", Static).update(_wins(sides) if rows else Text(otherwise))
        self.query_one("#compare-legend", Static).update(_legend(self.app.theme_variables))
        self._tell()

    def line(self) -> Matched | None:
        """A row of the benchmark under the cursor."""
        model = self.query_one("#sides", Grid).model
        if not isinstance(model, SidesModel) or not len(model):
            return None
        return next(iter(model.line(self.query_one("#sides", Grid).cursor.y).values()), None)

    def _shown(self) -> Shown:
        if self.size.width >= sides_width(len({row.subject for row in self._rows}), "both"):
            return "both"
        return "intervals" if self.intervals else "scores"

    def _tell(self) -> None:
        """The benchmark under the cursor, each model's change with its interval."""
        grid = self.query_one("#sides", Grid)
        told = ""
        if isinstance(grid.model, SidesModel) and len(grid.model):
            names = subject_names(list(grid.model.subjects.values()))
            told = line_in_words(grid.model.line(grid.cursor.y), names)
            told = told or "Unpruned, so there is no change to test."
        self.query_one("#compare-line", Static).update(Text(told, self.app.theme_variables["neutral"]))


def _wins(sides: SidesModel) -> Text:
    text = Text()
    for name, first, compared, sizes in sides.wins():
        text.append("★ ").append(f"{name} ", "bold").append(f"is best on {first} of {compared}{sizes}\n")
    text.rstrip()
    return text


def _legend(theme: dict[str, str]) -> Text:
    return Text.assemble(
        "★ best score  ", ("▲", theme["gain"]), " better ", ("▼", theme["loss"]), " worse: beyond noise  ",
        ("≈", theme["neutral"]), " within noise  ", ("△", theme["gain"]), ("▽", theme["loss"]), " not tested  ",
        (CHANCE, theme["neutral"]), " at chance: guessing scores as much",
        style=theme["neutral"],
    )  # fmt: skip
