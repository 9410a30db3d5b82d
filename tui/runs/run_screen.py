"""One run: its grid filling in, its rates, its log and the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen

from tui import format as fmt
from tui.results.matrix import CHANCE, at_chance
from tui.runs.gpu_panel import GpuPanel
from tui.runs.live import LiveScreen
from tui.runs.log_pane import LogPane
from tui.runs.record import RunDetail, RunRow
from tui.runs.run_grid import RunGrid
from tui.runs.run_head import now_lines, run_head
from tui.runs.snapshot import Snapshot
from tui.runs.verdicts import Verdicts, guessed, sign, verdict_of, words
from tui.shell.exporting import Sheet
from tui.widgets.key_footer import KeyFooter
from tui.widgets.palette import variable
from tui.widgets.top_line import TopLine
from tui.widgets.words import Words
from warehouse.read.cell_details import RunVerdict
from warehouse.read.grid import Cell
from warehouse.records.level import level_label
from warehouse.store import statements
from warehouse.text import one_line

if TYPE_CHECKING:
    from engine.gpu import GpuProcess


class RunScreen(LiveScreen):
    """The run with this id, for as long as the screen is open."""

    TITLE = "Run"
    HELP = (
        "Benchmarks down, levels across, an evaluation each: the score, and the change against the unpruned model. "
        "↑ is better, ↓ worse, "
        "= the same: provisional, until the run is merged. Then the marks are those of Results: ▲ a gain, ▼ a loss, "
        "≈ within the noise, ○ a score at chance: guessing scores as much. "
        "The line below the grid tells all about the cell under the cursor."
    )
    CSS_PATH = "run.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "Back", key_display="esc", tooltip="Back to the list of runs"),
        Binding("enter", "documents", "Questions", tooltip="Open a group, or a cell's documents down to the question"),
        Binding("v", "view", "View", tooltip="Show values, changes, or both"),
        Binding(
            "dollar_sign", "costs", "Costs", key_display="$", tooltip="What each level costs in time, memory and energy"
        ),
        Binding("b", "pane", "GPU/log", show=False, tooltip="GPU or log, where there is no room for both"),
    ]

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id
        self.detail: RunDetail | None = None
        self._head_lines = 0

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Words(id="head")
        yield RunGrid(id="grid")
        yield Words(id="cell")
        with Horizontal(id="below"):
            yield LogPane(id="log")
            yield GpuPanel(id="gpu")
        yield KeyFooter()

    def on_mount(self) -> None:
        # Watched, not told by message: the cursor and the lines about its cell are drawn in one frame.
        self.watch(self.query_one(RunGrid), "cursor_coordinate", self._show_cell, init=False)
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw_anew())

    async def resumed(self) -> None:
        self.host.feed.watch(self.run_id)
        await super().resumed()
        if self.is_composed:
            self.query_one(RunGrid).focus()

    def on_screen_suspend(self) -> None:
        if not isinstance(self.app.screen, ModalScreen):
            self.unwatch()

    def unwatch(self) -> None:
        self.host.feed.watch(None)

    def chosen(self) -> RunRow | None:
        return self.detail.row if self.detail is not None else None

    def on_resize(self) -> None:
        narrow = self.size.width < 100
        self.query_one("#log").border_subtitle = "b: GPU" if narrow else ""

    async def show_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.detail is None or snapshot.detail.row.run_id != self.run_id:
            return
        live = snapshot.detail.row.running and snapshot.readings
        processes = snapshot.processes if live else ()
        await self.show_detail(snapshot.detail, snapshot.readings if live else None, processes)
        self.query_one(RunGrid).ask_for_marks(self.host.database)

    async def show_detail(
        self, detail: RunDetail, readings: tuple | None = None, processes: Sequence[GpuProcess] = ()
    ) -> None:
        """`readings` are of this machine, now; without them the panel shows what the run recorded."""
        changed = detail is not self.detail
        self.detail = detail
        if changed:
            self.query_one(RunGrid).show(detail)
            head = self.query_one("#head", Words)
            # Its last lines change all the time while the run works: were they to wrap, the grid would jump.
            text = run_head(detail, self._now(detail), self.app.theme_variables)
            lines, self._head_lines = self._head_lines, text.plain.count("\n")
            fixed = detail.row.running and head.has_class("-running") and lines == self._head_lines
            head.set_class(detail.row.running, "-running")
            head.say(text, layout=not fixed)
            self.query_one(LogPane).show(detail.log)
            self._show_cell()
            self.update_keys()
        if readings is not None or changed:
            await self.query_one(GpuPanel).show_run(detail, readings, processes)

    def on_data_table_cell_selected(self) -> None:
        self.action_documents()

    def action_documents(self) -> None:
        """The documents behind the cell under the cursor, beside what the unpruned model answered."""
        from tui.results.document_text import Side
        from tui.results.documents_screen import DocumentsScreen

        selected = self.query_one(RunGrid).selected()
        if self.detail is None or selected is None:
            return
        level, name = selected
        line = next(one for one in self.detail.grid.rows if one.name == name)
        cell = self.detail.grid.at(line, level)
        if line.parts or cell is None:  # a group opens and closes
            return
        if cell.metric is None or cell.filter is None:
            self.notify(f"{one_line(name)} has no score at {level_label(level)} yet: its documents come with it.")
            return
        unpruned = self.detail.unpruned
        sides = {
            one: Side(shown := "unpruned" if one == unpruned else level_label(one), self.run_id, one, shown)
            for one in self.detail.row.levels
            if (found := self.detail.grid.at(line, one)) is not None and found.value is not None
        }
        self.app.push_screen(
            DocumentsScreen(
                name, cell.metric, cell.filter, sides[level], sides.get(unpruned) if level != unpruned else None,
                among=list(sides.values()), higher_is_better=cell.higher_is_better is not False,
            )
        )  # fmt: skip

    def action_costs(self) -> None:
        from tui.runs.profile_screen import ProfileScreen

        self.app.push_screen(ProfileScreen(self.run_id))

    def on_run_grid_marked(self) -> None:
        self._show_cell()

    def _draw_anew(self) -> None:
        """In the colours of another theme."""
        if self.detail is not None:
            detail, self.detail = self.detail, None
            self.call_later(self.show_detail, detail)
        self.query_one(LogPane).write_anew()

    def deleted(self) -> None:
        if self.is_current:
            self.app.pop_screen()

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_view(self) -> None:
        view = self.query_one(RunGrid).next_view()
        self.notify(
            {"both": "Values and changes", "value": "Values", "change": "Changes in percent"}[view], timeout=1.5
        )

    def action_pane(self) -> None:
        self.toggle_class("show-gpu")

    def sheet(self) -> Sheet | None:
        if self.detail is None:
            return None
        detail = self.detail
        columns = ("benchmark", "metric", *(level_label(level) for level in detail.row.levels))
        rows = []
        for line in detail.grid.rows:
            cells = [detail.grid.cells[line, level] for level in detail.row.levels]
            metric = next((cell.metric for cell in cells if cell.metric is not None), None)
            rows.append((line.name, metric, *(cell.value for cell in cells)))
        run_id = "'" + self.run_id.replace("'", "''") + "'"
        return Sheet(
            title=f"{detail.row.name}: {detail.row.model}, {detail.row.pruned_with.upper()}",
            columns=columns,
            rows=tuple(rows),
            sql=statements.query("run_deltas").replace("$run_id", run_id),
        )

    def _now(self, detail: RunDetail) -> list[Text]:
        return now_lines(detail, self.app.theme_variables["neutral"])

    def _show_cell(self) -> None:
        selected = self.query_one(RunGrid).selected()
        if self.detail is None or selected is None:
            return
        level, name = selected
        line = next((one for one in self.detail.grid.rows if one.name == name), None)
        cell = None if line is None else self.detail.grid.at(line, level)
        if cell is not None:
            verdicts = self.query_one(RunGrid).verdicts
            text = _cell_text(self.detail, level, name, cell, verdicts, self.app.theme_variables)
            self.query_one("#cell", Words).say(text, layout=False)  # its height is fixed


def _cell_text(
    detail: RunDetail, level: str, name: str, cell: Cell, verdicts: Verdicts, colours: dict[str, str]
) -> Text:
    """Two lines about one cell."""
    text = Text(overflow="ellipsis")
    where = "unpruned" if level == detail.unpruned else f"at {level_label(level)}"
    text.append(f"{one_line(name)} {where}", style="bold")
    if (facts := detail.facts.get(level)) is not None:
        text.append(
            f"  {facts.width:,} neurons a layer, {fmt.count(facts.parameters or 0)} parameters",
            style=colours["neutral"],
        )
    text.append("\n")
    match cell.state:
        case "pending":
            text.append("Not reached yet.")
        case "partial":
            text.append(f"{fmt.done_of(cell.done, cell.total, 'task')}.")
        case "running":
            text.append(f"Being evaluated: {100 * (cell.share or 0):.0f}% done.")
        case "failed":
            text.append(f"✗ {one_line(cell.error or 'no reason was recorded')}", style=colours["loss"])
        case "done" if cell.value is not None:
            _score_text(text, guessed(verdicts, name, cell), verdict_of(verdicts, level, name, cell), colours)
    return text


def _score_text(text: Text, cell: Cell, verdict: RunVerdict | None, colours: dict[str, str]) -> None:
    assert cell.value is not None
    by = "" if cell.filter == "none" else f" ({cell.filter})"
    if at_chance(cell) and cell.chance is not None:
        text.append(f"{CHANCE} at chance ({fmt.value(cell.chance)}): ")
    text.append(f"{cell.metric}{by} {fmt.value(cell.value, width=12)}")
    if cell.stderr is not None:
        text.append(f" ± {cell.stderr:.4f}")
    if cell.delta is not None and cell.baseline is not None:
        glyph = sign(cell, verdict)
        wording = "no change" if cell.delta == 0 and verdict is not None else words(glyph)
        text.append(f" · {glyph} {fmt.change(cell.delta_pct)}, {wording}", style=colours[variable(glyph)])
        text.append(f" ({cell.delta:+.4f} from {fmt.value(cell.baseline, width=12)})")
    if cell.seconds is not None:
        text.append(f" · {fmt.seconds(cell.seconds)}")
