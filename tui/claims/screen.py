"""Claims: which of the study's claims the results support, and the numbers for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from tui.claims import wording
from tui.format import change
from tui.shell.background import after_refresh
from tui.shell.choose import ChooseSeveral
from tui.shell.choosing import FiguresScreen
from tui.shell.exporting import Sheet
from tui.shell.queries import Question, Rows
from tui.shell.reading import IMPORT
from tui.widgets.grid import Grid, GridColumn
from tui.widgets.key_footer import KeyFooter
from tui.widgets.top_line import TopLine
from warehouse.read.claims import Change, Claim, ClaimModel
from warehouse.text import one_line

_COLOURS = {"supported": "gain", "not supported": "loss", "mixed": "foreground", "cannot tell": "neutral"}
_VERDICTS = {"gain": "gain", "loss": "loss", "noise": "foreground", None: "neutral"}
_MODEL, _BENCHMARK, _LEVEL = 16, 14, 8
_FIRST = 12  # how many models to ask before anybody chose: more take seconds
_FINDING = ("model", "larger", "method", "verdict", "says", "missing", "conditions")


class ClaimsScreen(FiguresScreen):
    """The eleven claims, and what is told of the one under the cursor."""

    CSS_PATH = "claims.tcss"
    PART = "claims"
    HELP = (
        "What the study's Key Observations say, held against the results in this database. "
        "A claim is supported where every model that can tell supports it, not supported where none does, else mixed. "
        f"m chooses the models that are asked: of a database with more than {_FIRST}, those with the latest runs are."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "read", "Read", tooltip="Go to what is told of this claim, to scroll in it"),
        Binding("m", "models", "Models", tooltip="Choose the models that are asked"),
        Binding("escape", "list", "Back to the list", show=False, tooltip="Back to the list of claims"),
        IMPORT,
    ]

    def __init__(self) -> None:
        super().__init__()
        self.claims: list[Claim] = []
        self.models: list[str] | None = None
        """The models chosen; None for all."""
        self._changes: list[Change] = []
        self._known: list[ClaimModel] = []

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Static(id="claims-title", classes="title")
        yield Static(id="claims-said", classes="said")
        with Container(id="claims-body"):
            yield Grid(by_row=True, id="claims-list")
            with VerticalScroll(id="claims-told"):
                yield Static(id="claims-words")
                yield Static(id="claims-numbers")
                yield Static(id="claims-test")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.watch(self.query_one(Grid), "cursor", self._moved, init=False)
        self.query_one(Grid).focus()

    # Reading

    def reload(self) -> None:
        if not self.database.exists():
            self.empty = True
            self.said("There is no database yet: I brings the study's results in, n starts a run.")
            return
        self.ask("models", [Question("claim_models")], self._offer)

    def _offer(self, answers: list[Rows]) -> None:
        [self._known] = answers
        model_ids = [row.model_id for row in self._known]
        if self.models is not None:
            self.models = [one for one in self.models if one in model_ids] or None
        if self.models is None and len(model_ids) > _FIRST:
            newest = sorted(self._known, key=lambda row: row.latest, reverse=True)
            self.models = [row.model_id for row in newest[:_FIRST]]
        self._ask()

    def _ask(self) -> None:
        self.ask("claims", [self.question("claims"), self.question("claim_numbers")], self._show)

    def question(self, name: str) -> Question:
        return Question(name, {"models": self.models})

    def _show(self, answers: list[Rows]) -> None:
        self.empty = False
        self.claims, self._changes = answers
        self.draw()

    @property
    def has_figures(self) -> bool:
        return bool(self.claims)

    # Drawing

    def show_title(self, said: str) -> None:
        text = Text("The study's claims", no_wrap=True, overflow="ellipsis")
        text.append(f"  {said}", "not bold")
        self.query_one("#claims-title", Static).update(text)

    def draw(self) -> None:
        of = "" if self.models is None else f" · {len(self.models)} of {len(self._known)} models"
        self.show_title(wording.summary(self.claims) + of)
        self.query_one(Grid).show(_List(self.claims, self.app.theme_variables))
        self._tell()

    def _moved(self) -> None:
        self._tell()
        self.query_one("#claims-told").scroll_home(animate=False)

    def on_resize(self) -> None:
        if self.claims:
            after_refresh(self, self._tell)

    @property
    def claim(self) -> Claim | None:
        """The one under the cursor."""
        row = self.query_one(Grid).cursor.y
        return self.claims[row] if row < len(self.claims) else None

    def _tell(self) -> None:
        if (claim := self.claim) is None:
            return
        colours = self.app.theme_variables
        text = Text.assemble(
            (f"{claim.number}. {claim.title}\n", "bold"),
            (f"{wording.verdict(claim)}\n", f"bold {colours[_COLOURS[claim.verdict]]}"),
        )
        for one in claim.findings:
            text.append(f"{wording.GLYPHS[one.verdict]} ", colours[_COLOURS[one.verdict]])
            text.append(f"{one_line(wording.who(one, claim.findings))}: ", "bold")
            text.append(f"{one_line(wording.why(one))}\n")
        if not claim.findings and claim.missing:
            text.append(f"Missing: {claim.missing}.\n")
        text.rstrip()
        self.query_one("#claims-words", Static).update(text)
        self.query_one("#claims-numbers", Static).update(self._numbers(claim.number))
        test = Text.assemble(
            ("The study – ", colours["neutral"]), f"{claim.study_says}\n",
            ("The test – ", colours["neutral"]), claim.test,
        )  # fmt: skip
        if claim.v3_says:
            test.append("\nVersion 3 – ", colours["neutral"]).append(claim.v3_says)
        self.query_one("#claims-test", Static).update(test)

    def _numbers(self, number: int) -> Table | Text:
        """The changes, models and benchmarks down, as many levels across as there is room for."""
        levels, lines = wording.lines(self._changes, number)
        if not lines:
            return Text(wording.NO_NUMBERS)
        colours = self.app.theme_variables
        names = _MODEL + (_BENCHMARK + 1 if _many(lines) else 0)
        room = max((self.query_one("#claims-told").content_size.width - names - 2) // (_LEVEL + 1), 1)
        page = Table(box=None, show_header=False, pad_edge=False, padding=0)
        for start in range(0, len(levels), room):
            page.add_row(_numbers(levels[start : start + room], lines, colours))
        page.add_row(Text(wording.LEGEND, style=colours["neutral"]))
        return page

    # Actions

    def action_read(self) -> None:
        self.query_one("#claims-told").focus()

    def on_grid_cell_selected(self) -> None:
        self.action_read()

    def action_models(self) -> None:
        if not self._known:
            return
        options = [(row.model_id, one_line(row.model)) for row in self._known]
        every = [key for key, _ in options]

        def take(models: list[str] | None) -> None:
            chosen = None if models == every and len(every) <= _FIRST else models
            if models is not None and chosen != self.models:
                self.models = chosen
                self.show_title("reading…")
                self._ask()

        self.app.push_screen(ChooseSeveral("Whose results?", options, self.models or every), take)

    def action_list(self) -> None:
        self.query_one(Grid).focus()

    def sheet(self) -> Sheet | None:
        """What every model says of every claim."""
        if not self.claims:
            return None
        told_by = [(claim, one) for claim in self.claims for one in claim.findings]
        if not told_by:
            columns = ("claim", "title", "verdict", "missing")
            rows = tuple((one.number, one.title, one.verdict, one.missing) for one in self.claims)
            return Sheet("The study's claims", columns, rows, self.question("claims").sql())
        columns = ("claim", "title", *_FINDING)
        rows = tuple((claim.number, claim.title, *(getattr(one, name) for name in _FINDING)) for claim, one in told_by)
        return Sheet("The study's claims", columns, rows, self.question("claim_findings").sql())


def _numbers(levels: Sequence[float], lines: Sequence[wording.Line], colours: dict[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("", width=_MODEL, no_wrap=True, overflow="ellipsis")
    if _many(lines):
        table.add_column("", width=_BENCHMARK, no_wrap=True, overflow="ellipsis")
    for level in levels:
        table.add_column(f"{level:g}%", justify="right", no_wrap=True, width=_LEVEL)
    for model, benchmark, at in lines:
        cells = []
        for one in (at.get(level) for level in levels):
            mark = Text("–", colours["neutral"])
            if one is not None:
                mark = Text(f"{wording.MARKS[one.verdict]} {change(one.delta_pct)}", colours[_VERDICTS[one.verdict]])
            cells.append(mark)
        names = [model, benchmark] if _many(lines) else [model]
        table.add_row(*(Text(one_line(name)) for name in names), *cells)
    return table


def _many(lines: Sequence[wording.Line]) -> bool:
    return len({benchmark for _, benchmark, _ in lines}) > 1


class _List:
    """Number, claim and verdict."""

    fixed = 0

    def __init__(self, claims: Sequence[Claim], colours: dict[str, str]) -> None:
        self._claims = claims
        self._colours = colours
        self.columns: Sequence[GridColumn] = [
            GridColumn(("#",), 2),
            GridColumn(("Claim",), 57, "left"),
            GridColumn(("Verdict",), 15, "left"),
        ]

    def __len__(self) -> int:
        return len(self._claims)

    def cell(self, row: int, column: int) -> tuple[str, Style | None]:
        claim = self._claims[row]
        match column:
            case 0:
                return str(claim.number), None
            case 1:
                return claim.title, None
            case _:
                colour = self._colours[_COLOURS[claim.verdict]]
                return f"{wording.GLYPHS[claim.verdict]} {claim.verdict}", Style(color=colour)
