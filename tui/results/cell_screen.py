"""One cell of the matrix: all its metrics, where they come from, and the samples that flipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from tui.format import change, conditions_text, count, value
from tui.host import host
from tui.results.certainty import certainty, scores, sentence
from tui.results.document_text import Side, answer
from tui.results.matrix import at, mark, signed, subject_name
from tui.shell.exporting import Sheet, table_of
from tui.shell.queries import CancelledError, Question, Reader, Rows
from tui.widgets.grid import Grid, GridColumn
from tui.widgets.palette import Palette
from warehouse.read.cell_details import CellMetric, Flip
from warehouse.read.grid import UNPRUNED, Entry, Width
from warehouse.records.names import short_name
from warehouse.stats.hypothesis_tests import mcnemar
from warehouse.text import counted


class CellScreen(ModalScreen[None]):
    """Everything about one benchmark at one width."""

    CSS_PATH = "results.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "dismiss", "Back", key_display="esc"),
        Binding("enter", "documents", "Questions", tooltip="The documents behind the score, down to the question"),
        Binding("tab", "app.focus_next", "Metrics/samples", show=True),
        Binding("w", "why", "Why", tooltip="Where this number came from"),
        Binding("s", "app.sql", "SQL"),
        Binding("y", "app.copy", "Copy"),
        Binding("ctrl+e", "app.export", "Export"),
    ]

    def __init__(self, entry: Entry, among: Sequence[Entry] = ()) -> None:
        """`among` are the benchmark's cells at the other widths: what its documents can be shown beside."""
        super().__init__()
        self._entry = entry
        self._among = among
        self._benchmark, self._width, self._cell = entry.benchmark, entry.width, entry.cell
        self._reader: Reader | None = None
        self._metrics: list[CellMetric] = []
        self._flips: list[Flip] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="cell") as dialog:
            dialog.border_title = Text(
                f"{self._benchmark.name} · {short_name(self._width.model)} {at(self._width)}"
            ).markup
            # What was tested is told in full on the lines below.
            say = sentence if self._cell.p_value is None else scores
            yield Static(Text(say(self._benchmark, self._width, self._cell)), id="cell-says")
            told = certainty(self._cell, unpruned=self._width.unpruned)
            sure = Static(Text(told), id="cell-sure")
            sure.display = bool(told)
            yield sure
            yield Static(self._provenance(), id="cell-from", classes="muted")
            yield Grid(by_row=True, id="cell-metrics")
            yield Static("Samples: reading…", id="cell-flips-says")
            yield Grid(by_row=True, id="cell-flips")
            yield Label(
                "[b]enter[/b] questions · [b]tab[/b] other table · [b]w[/b] why · [b]s[/b] SQL · [b]y[/b] copy · "
                "[b]^e[/b] export · [b]esc[/b] back",
                classes="muted",
            )

    def on_mount(self) -> None:
        self.query_one("#cell-flips").display = False
        self.query_one("#cell-metrics").focus()
        self._reader = Reader(host(self).database)
        self.run_worker(self._read, thread=True)

    def on_unmount(self) -> None:
        if self._reader is not None:
            self._reader.cancel()

    def _read(self) -> None:
        from warehouse.errors import UserError

        assert self._reader is not None
        asked = [self.question()]
        if not self._width.unpruned and self._cell.baseline_run_id is not None:
            asked.append(self.flips())
        try:
            answers = self._reader.ask("cell", self._reader.turn("cell"), *asked)
        except CancelledError:
            return
        except UserError as error:
            self.app.call_from_thread(self._failed, str(error))
        else:
            self.app.call_from_thread(self._show, answers)

    def question(self) -> Question:
        return Question("cell_metrics", self._entry.facts())

    def flips(self) -> Question:
        return Question("cell_flips", self._entry.facts())

    def _failed(self, message: str) -> None:
        if self.is_mounted:
            self.query_one("#cell-flips-says", Static).update(Text(message))

    def _show(self, answers: list[Rows]) -> None:
        if not self.is_mounted:
            return
        palette = Palette.of(self.query_one("#cell-metrics", Grid))
        self._metrics = answers[0]
        grid = self.query_one("#cell-metrics", Grid)
        grid.show(_Metrics(self._metrics, palette, self._benchmark.task))
        grid.styles.height = min(grid.lines, 10)
        self._flips = answers[1] if len(answers) > 1 else []
        self.query_one("#cell-flips-says", Static).update(self._flipped())
        if self._flips:
            flips = self.query_one("#cell-flips", Grid)
            flips.show(_Flips(self._flips, palette, self._benchmark.task, self._cell.higher_is_better is not False))
            flips.display = True

    def _provenance(self) -> Text:
        width, cell = self._width, self._cell
        parts = [conditions_text(width.conditions), f"run {cell.run_id}"]
        if cell.baseline_run_id not in (None, cell.run_id):
            parts.append(f"unpruned from run {cell.baseline_run_id}")
        if cell.n is not None:
            parts.append(counted(cell.n, "document"))
        if self._benchmark.num_fewshot is not None:
            parts.append(f"{self._benchmark.num_fewshot}-shot")
        if width.intermediate_size is not None:
            parts.append(f"intermediate_size {width.intermediate_size}")
        if width.parameters is not None:
            parts.append(f"{count(width.parameters)} parameters")
        return Text(" · ".join(parts))

    def _flipped(self) -> Text:
        if self._width.unpruned:
            return Text("This is the unpruned model: the others' samples are compared with its.")
        if not self._flips:
            return Text("Samples: no document's score changed, or the samples of both levels are not in the database "
                        "(imported figures have none).")  # fmt: skip
        first = self._flips[0]
        up, down = first.rose, first.fell
        better, worse = (up, down) if self._cell.higher_is_better is not False else (down, up)
        text = Text(f"Samples: of {counted(first.documents, 'document')}, {worse:,} got worse and {better:,} better")
        text.append(f"; by chance alone as uneven with p = {mcnemar(up, down):.2g} (exact paired sign test).")
        if first.changed > len(self._flips):
            text.append(f" The {len(self._flips)} largest:")
        return text

    def on_grid_cell_selected(self, event: Grid.CellSelected) -> None:
        flips = event.grid.id == "cell-flips"
        found = self._flips[event.grid.cursor.y] if flips and self._flips else None
        self._open_documents(None if found is None else (found.task, found.doc_id))

    def action_documents(self) -> None:
        self._open_documents(None)

    def _open_documents(self, at: tuple[str, int] | None) -> None:
        from tui.results.documents_screen import DocumentsScreen

        cell, width = self._cell, self._width
        if cell.run_id is None or cell.metric is None or cell.filter is None:
            return
        widths = [width, *(one.width for one in self._among)]
        among = [side for one in self._among if (side := side_of(one, widths)) is not None]
        side = side_of(self._entry, widths)
        assert side is not None
        run_id, level = cell.baseline_run_id, cell.baseline_level
        other = next((one for one in among if (one.run_id, one.level) == (run_id, level)), None)
        if other is None and run_id is not None and level is not None:
            other = Side(f"{short_name(width.model)} {UNPRUNED}", run_id, level, UNPRUNED)
        self.app.push_screen(
            DocumentsScreen(
                self._benchmark.task, cell.metric, cell.filter, side, None if width.unpruned else other,
                among=among, higher_is_better=cell.higher_is_better is not False, at=at,
            )
        )  # fmt: skip

    def action_why(self) -> None:
        from tui.results.why_screen import WhyScreen, wanted

        self.app.push_screen(WhyScreen(wanted(self._entry.facts())))

    def sheet(self) -> Sheet | None:
        """The table that has the focus."""
        samples = self.query_one("#cell-flips").has_focus
        asked = self.flips() if samples else self.question()
        columns, rows = table_of(self._flips if samples else self._metrics)
        if not rows:
            return None
        title = f"{self._benchmark.name}, {short_name(self._width.model)} {at(self._width)}"
        title += ": samples that changed" if samples else ": all metrics"
        return Sheet(title, columns, rows, asked.sql())


def side_of(entry: Entry, among: Sequence[Width]) -> Side | None:
    """A cell's documents as one of two that are shown side by side."""
    cell, width = entry.cell, entry.width
    if cell.run_id is None:
        return None
    return Side(f"{subject_name(width, among)} {width.label}", cell.run_id, width.level, width.label)


class _Metrics:
    fixed = 1
    _HEAD = (("score", 7), ("± se", 6), (UNPRUNED, 8), ("change", 9), ("95 % interval", 15), ("in %", 6))

    def __init__(self, rows: Sequence[CellMetric], palette: Palette, task: str) -> None:
        self._rows = rows
        self._palette = palette
        self._names = [_metric_name(row, task) for row in rows]
        longest = max((len(name) for name in self._names), default=0)
        self.columns: Sequence[GridColumn] = [
            GridColumn(("metric",), min(max(longest, 8), 24), "left"),
            *(GridColumn((name,), width) for name, width in self._HEAD),
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def cell(self, row: int, column: int) -> tuple[str, Style | None]:
        found = self._rows[row]
        match column:
            case 0:
                return self._names[row], None
            case 1:
                return value(found.value), None
            case 2:
                return _known(found.stderr), None
            case 3:
                return _known(found.baseline), None
            case 4:
                if found.delta is None:
                    return "", None
                return f"{mark(found)} {signed(found.delta)}", self._palette.heat(mark(found), 0.2)
            case 5:
                return _interval(found), None
            case _:
                return change(found.delta_pct) if found.delta is not None else "", None


class _Flips:
    fixed = 1

    def __init__(self, rows: Sequence[Flip], palette: Palette, task: str, higher_is_better: bool) -> None:
        self._rows = rows
        self._palette = palette
        self._up = higher_is_better
        several = len({row.task for row in rows}) > 1
        self._names = [_document(row, task) if several else str(row.doc_id) for row in rows]
        self.columns: Sequence[GridColumn] = [
            GridColumn(("document",), min(max(8, *map(len, self._names)), 22), "left"),
            GridColumn((UNPRUNED,), 8),
            GridColumn(("pruned",), 9),
            GridColumn(("unpruned answer",), 15, "left"),
            GridColumn(("pruned answer",), 15, "left"),
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def cell(self, row: int, column: int) -> tuple[str, Style | None]:
        found = self._rows[row]
        match column:
            case 0:
                return self._names[row], None
            case 1:
                return value(found.before), None
            case 2:
                sign = "▲" if (found.after > found.before) == self._up else "▼"
                return f"{sign} {value(found.after)}", self._palette.heat(sign, 0.2)
            case _:
                return answered(found.answer_before if column == 3 else found.answer_after), None


def answered(response: Any) -> str:
    """A response in a table: a choice by its number, from 1 as on the document's own screen, else the text."""
    found = None if response is None else answer(str(response))
    if isinstance(found, int) and not isinstance(found, bool):
        return f"choice {found + 1}"
    return "" if found is None else " ".join(str(found).split())


def _metric_name(row: CellMetric, task: str) -> str:
    name = row.metric if row.filter == "none" else f"{row.metric} {row.filter}"
    return name if row.task == task else f"{row.task.removeprefix(f'{task}_')}: {name}"


def _document(row: Flip, task: str) -> str:
    return f"{row.task.removeprefix(f'{task}_')} {row.doc_id}"


def _known(number: float | None) -> str:
    return "" if number is None else value(number)


def _interval(row: CellMetric) -> str:
    low, high = row.ci_low, row.ci_high
    return "" if low is None or high is None else f"{signed(low)} {signed(high)}"
