"""The run under the cursor, beside or below the list: how it stands, its grid, its rates, its device and its log."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from tui.runs.gpu_panel import GpuPanel
from tui.runs.log_pane import LogPane
from tui.runs.record import RunRow
from tui.runs.run_grid import RunGrid
from tui.runs.run_head import now_lines, run_head
from tui.runs.snapshot import Snapshot
from tui.runs.states import about, advice, state_text
from tui.runs.sweep_head import sweep_head
from tui.runs.sweep_rows import SweepRow
from tui.widgets.words import Words
from warehouse.text import one_line

_PATIENCE = 0.3  # seconds: a cursor that goes through the list asks about no run that it passes


def side_width(screen: int) -> int:
    """The columns that it takes beside the list, its border included: from 178 on a grid of seven levels is whole."""
    return max(72, screen * 45 // 100)


class RunSide(Vertical):
    """All of it beside the list; below it, the grid alone."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.border_title = "Run"

    def compose(self) -> ComposeResult:
        yield Words(id="side-head")
        yield RunGrid(id="preview", patience=_PATIENCE)
        yield GpuPanel(id="side-gpu")
        yield LogPane(id="side-log")

    def on_mount(self) -> None:
        self.query_one("#preview").can_focus = False
        self.query_one("#side-gpu").can_focus = False
        self.query_one("#side-log").can_focus = False

    async def show(self, row: RunRow | None, snapshot: Snapshot, database: Path, sweep: SweepRow | None = None) -> None:
        """A run; of a sweep how it stands, and below it the run of it that `row` is."""
        grid, gpu, log = self.query_one(RunGrid), self.query_one(GpuPanel), self.query_one(LogPane)
        detail, colours = snapshot.detail, self.app.theme_variables
        whole = None if sweep is None else sweep_head(sweep, colours)
        title = "Run" if sweep is None else "Sweep"
        if self.border_title != title:  # else it is drawn anew
            self.border_title = title
        if row is None or row.folder is None:
            grid.show_nothing()
            grid.display = False
            gpu.add_class("-none")
            log.add_class("-none")
            self.query_one("#side-head", Words).say(whole or self._of_import(row))
            return
        if detail is None or detail.row.run_id != row.run_id:  # it is being read
            if whole is not None:
                self.query_one("#side-head", Words).say(whole)
            return
        head = run_head(detail, now_lines(detail, colours["neutral"]), colours)
        self.query_one("#side-head", Words).say(Text("\n\n").join(filter(None, (whole, head))))
        grid.display = True
        grid.show(detail)
        grid.ask_for_marks(database)
        gpu.remove_class("-none")
        log.remove_class("-none")
        log.show_of(row.run_id, detail.log)
        live = row.running and snapshot.readings
        await gpu.show_run(detail, snapshot.readings if live else None, snapshot.processes if live else ())

    def _of_import(self, row: RunRow | None) -> Text:
        if row is None:
            return Text()
        colours = self.app.theme_variables
        return Text.assemble(
            (one_line(row.name), f"bold {colours['primary']}"), f"\n{about(row)}\n", state_text(row, colours),
            f"  {advice(row)}",
        )  # fmt: skip
