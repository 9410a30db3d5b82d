"""The documents behind a cell: which flipped, and each of them down to the question, two levels side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Offset
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from tui.format import value
from tui.host import host
from tui.results.document_list import DocumentList
from tui.results.document_text import Answered, Side, answer, document_text
from tui.shell.background import after_refresh
from tui.shell.choose import ChooseOne
from tui.shell.exporting import Sheet, table_of
from tui.shell.queries import CancelledError, Question, Reader
from tui.widgets.filter_line import FilterLine
from tui.widgets.grid import Grid
from tui.widgets.key_footer import KeyFooter
from tui.widgets.palette import Palette
from tui.widgets.top_line import TopLine
from warehouse.errors import UserError
from warehouse.read.cell_details import Scored
from warehouse.read.documents import read_document, read_texts
from warehouse.text import one_line

Key = tuple[str, int]
_PAUSE = 0.08  # seconds
_KINDS = {"all": "all documents", "flipped": "flipped", "worse": "got worse", "better": "got better"}


class DocumentsScreen(Screen[None]):
    """A cell's documents: a list, and the one under the cursor in full."""

    HELP = (
        "The documents that a score is the mean of. One flipped where its score is not the other level's. Filter them "
        "by f (flipped, worse, better), by C (a part of a group, such as a subject of MMLU) and by words of the "
        "question (/). Log-likelihoods are sums over a choice's tokens, in nats; ✓ is the gold answer, ◀ the choice "
        "that was taken."
    )
    CSS_PATH = "results.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "read", "Read", tooltip="The question over the whole screen, to scroll in"),
        Binding("escape,backspace", "back", "Back", key_display="esc", tooltip="To the list, and then out of it"),
        Binding("slash", "filter", "Filter", key_display="/", tooltip="Documents with these words in them"),
        Binding("f", "kind", "Flipped", tooltip="Those that flipped, got worse, got better, or all"),
        Binding("C", "category", "Category", tooltip="One part of the group, such as a subject"),
        Binding("m", "models", "Beside", tooltip="Choose the level or method that is shown beside this one"),
        Binding("right,l", "step(1)", "Next", key_display="→", tooltip="The next document"),
        Binding("left,h", "step(-1)", "Previous", key_display="←", show=False, tooltip="The document before"),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
    ]

    def __init__(
        self,
        task: str,
        metric: str,
        filter_: str,
        side: Side,
        other: Side | None,
        *,
        among: Sequence[Side] = (),
        higher_is_better: bool = True,
        at: Key | None = None,
    ) -> None:
        """`among` are the sides to choose `other` from, `at` is the document to begin with."""
        super().__init__()
        self._of, self._metric, self._left_by = task, metric, filter_
        self.side, self.other = side, other
        self._among = [one for one in among if one != side]
        self._up = higher_is_better
        self._at = at
        self.kind = "all" if at is None or other is None else "flipped"
        self.category: str | None = None
        self.words: list[str] = []
        self.rows: list[Scored] = []
        self.shown: list[Scored] = []
        self.texts: dict[Key, str] = {}
        self._reader: Reader | None = None
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Static(id="documents-title", classes="title")
        yield Static(id="documents-said", classes="said")
        yield FilterLine(placeholder="words of a question, a choice or a category; esc clears", compact=True)
        with Horizontal(id="documents-body"):
            yield Grid(by_row=True, id="documents-list")
            with VerticalScroll(id="document"):
                yield Static("Reading…", id="document-text", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(FilterLine).display = False
        self.query_one("#documents-said").display = False
        self._reader = Reader(host(self).database)
        grid = self.query_one("#documents-list", Grid)
        grid.focus()
        self.watch(grid, "cursor", self._moved, init=False)
        self._tell_title("reading…")
        self._read()

    def on_unmount(self) -> None:
        if self._reader is not None:
            self._reader.cancel()

    # Reading

    def question(self) -> Question:
        other = self.other
        return Question(
            "cell_documents",
            {
                "task": self._of, "metric": self._metric, "filter": self._left_by, "run_id": self.side.run_id,
                "level": self.side.level, "other_run_id": other and other.run_id, "other_level": other and other.level,
            },
        )  # fmt: skip

    @work(thread=True, exclusive=True, group="documents")
    def _read(self) -> None:
        assert self._reader is not None
        said, texts = "", dict[Key, str]()
        try:
            [rows] = self._reader.ask("documents", self._reader.turn("documents"), self.question())
        except CancelledError:
            return
        except UserError as error:
            self.app.call_from_thread(self._failed, str(error))
            return
        if not rows:
            said = (
                f"The database has no results per document of {self._of}, {self.side.label}, in run "
                f"{self.side.run_id}: imported figures have none, and a run's are here once they are merged."
            )
        else:
            try:
                tasks = sorted({row.task for row in rows})
                texts = read_texts(host(self).database, self.side.run_id, tasks)
            except UserError as error:
                said = str(error)
        self.app.call_from_thread(self._show, rows, texts, said)

    def _failed(self, message: str) -> None:
        if self.is_mounted:
            self._tell_title("")
            self._say(message)
            self.query_one("#document-text", Static).update("")

    def _show(self, rows: list[Scored], texts: dict[Key, str], said: str) -> None:
        if not self.is_mounted:
            return
        self.rows, self.texts = rows, {key: one_line(text) for key, text in texts.items()}
        self._say(said)
        if self.kind != "all" and not any(self._fits(row) for row in rows):
            self.kind = "all"
        self.draw()
        wanted = next((at for at, row in enumerate(self.shown) if (row.task, row.doc_id) == self._at), 0)
        grid = self.query_one("#documents-list", Grid)
        grid.cursor = Offset(grid.cursor.x, wanted)
        self._tell()

    def on_resize(self) -> None:
        if self.rows:
            after_refresh(self, self.draw)

    def _say(self, message: str) -> None:
        said = self.query_one("#documents-said", Static)
        said.update(Text(message))
        said.display = bool(message)

    # What is shown of them

    def _fits(self, row: Scored) -> bool:
        if self.category is not None and row.task != self.category:
            return False
        if self.kind != "all":
            if not row.flipped:
                return False
            if self.kind != "flipped" and self._better(row) != (self.kind == "better"):
                return False
        if not self.words:
            return True
        said = f"{row.task} {row.doc_id} {self.texts.get((row.task, row.doc_id), '')}".lower()
        return all(word in said for word in self.words)

    def _better(self, row: Scored) -> bool:
        assert row.after is not None
        assert row.before is not None
        return (row.after > row.before) == self._up

    def draw(self) -> None:
        self.shown = [row for row in self.rows if self._fits(row)]
        grid = self.query_one("#documents-list", Grid)
        of = self._of if len({row.task for row in self.rows}) > 1 else None
        sides = (self.other, self.side)
        grid.show(
            DocumentList(self.shown, self.texts, sides, self._better, of, Palette.of(grid), grid.outer_size.width)
        )
        self._tell_title("")
        self.refresh_bindings()
        self._tell()

    def _tell_title(self, said: str) -> None:
        text = Text(f"Documents of {self._of}", no_wrap=True, overflow="ellipsis")
        name = self._metric if self._left_by == "none" else f"{self._metric}, {self._left_by}"
        parts = [f"{len(self.shown):,} of {len(self.rows):,}: {_KINDS[self.kind]}"] if self.rows else []
        if self.category is not None:
            parts.append(self.category)
        if self.words:
            parts.append(f"“{' '.join(self.words)}”")
        parts += [name, self.side.label if self.other is None else f"{self.other.label} | {self.side.label}"]
        text.append("  " + " · ".join(part for part in (*parts, said) if part), "not bold")
        self.query_one("#documents-title", Static).update(text)

    def _moved(self) -> None:
        self._tell()

    @property
    def row(self) -> Scored | None:
        """The document under the cursor."""
        at = self.query_one("#documents-list", Grid).cursor.y
        return self.shown[at] if at < len(self.shown) else None

    def _tell(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        row = self.row
        if row is None:
            asked = "No document fits: esc takes the filter away." if self.rows else ""
            self.query_one("#document-text", Static).update(asked)
        else:
            # A cursor that goes through the list reads no document that it passes.
            self._pause = self.set_timer(_PAUSE, partial(self._read_one, row, self.side, self.other))

    @work(thread=True, exclusive=True, group="document")
    def _read_one(self, row: Scored, side: Side, other: Side | None) -> None:
        database = host(self).database
        try:
            sides = [
                Answered(one, read_document(database, one.run_id, row.task, row.doc_id, levels=[one.level]))
                for one in (other, side)
                if one is not None
            ]
        except UserError as error:
            self.app.call_from_thread(self._show_one, row, _without_texts(row, str(error), side, other))
            return
        shown = document_text(sides, self._metric, self._left_by, self.app.theme_variables)
        self.app.call_from_thread(self._show_one, row, shown)

    def _show_one(self, row: Scored, shown: Any) -> None:
        if self.is_mounted and row is self.row:
            self.query_one("#document-text", Static).update(shown)
            pane = self.query_one("#document")
            pane.border_title = Text(f"{row.task} · document {row.doc_id}").markup
            pane.scroll_home(animate=False)

    # Actions

    @property
    def _reading(self) -> bool:
        return self.has_class("-reading")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "kind":
                return True if self.other is not None else None
            case "category":
                return True if len({row.task for row in self.rows}) > 1 else None
            case "models":
                return True if self._among else None
            case "scroll" | "step":
                return self._reading
        return super().check_action(action, parameters)

    def on_grid_cell_selected(self) -> None:
        self.action_read()

    def action_read(self) -> None:
        if self.row is not None:
            self.add_class("-reading")
            self.query_one("#document").focus()
            self.refresh_bindings()

    def action_back(self) -> None:
        if self._reading:
            self.remove_class("-reading")
            self.query_one("#documents-list").focus()
            self.refresh_bindings()
        elif self.query_one(FilterLine).display:
            line = self.query_one(FilterLine)
            line.value, line.display = "", False
            self.query_one("#documents-list").focus()
        else:
            self.app.pop_screen()

    def action_scroll(self, lines: int) -> None:
        self.query_one("#document").scroll_relative(y=lines, animate=False)

    def action_step(self, step: int) -> None:
        grid = self.query_one("#documents-list", Grid)
        grid.cursor = Offset(grid.cursor.x, grid.cursor.y + step)

    def action_filter(self) -> None:
        self.remove_class("-reading")
        line = self.query_one(FilterLine)
        line.display = True
        line.focus()

    def action_to_list(self) -> None:
        self.query_one(FilterLine).display = bool(self.words)
        self.query_one("#documents-list").focus()

    def on_input_changed(self, event: FilterLine.Changed) -> None:
        self.words = event.value.lower().split()
        self.draw()

    def action_kind(self) -> None:
        kinds = list(_KINDS)
        self.kind = kinds[(kinds.index(self.kind) + 1) % len(kinds)]
        self.draw()

    def action_category(self) -> None:
        tasks = sorted({row.task for row in self.rows})

        def take(key: str | None) -> None:
            if key is not None:
                self.category = key or None
                self.draw()

        options = [("", "all of them"), *((task, task) for task in tasks)]
        self.app.push_screen(ChooseOne("Documents of", options, self.category or ""), take)

    def action_models(self) -> None:
        def take(key: str | None) -> None:
            if key is not None:
                self.other = self._among[int(key)]
                self._read()

        options = [(str(at), one.label) for at, one in enumerate(self._among)]
        now = None if self.other is None or self.other not in self._among else str(self._among.index(self.other))
        self.app.push_screen(ChooseOne("Shown beside this one", options, now), take)

    def sheet(self) -> Sheet | None:
        columns, rows = table_of(self.shown)
        if not rows:
            return None
        return Sheet(f"Documents of {self._of}, {self.side.label}", columns, rows, self.question().sql())


def _without_texts(row: Scored, error: str, side: Side, other: Side | None) -> Text:
    """What the database knows of a document whose question is not kept."""
    text = Text(f"{error}\n\nWhat the database has of it:\n")
    told = [(side, row.after, row.answer_after)]
    if other is not None:
        told.insert(0, (other, row.before, row.answer_before))
    for one, score, response in told:
        text.append(f"\n{one.label}: ", "bold").append("not scored" if score is None else value(score))
        if response is not None:
            text.append(f", answered {one_line(str(answer(str(response))))}")
    return text
