"""A sweep: its bar, its runs with their places, what each says, and what its cards do."""

from __future__ import annotations

from datetime import datetime
from platform import node
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen

from tui import format as fmt
from tui.runs.gpu_panel import GpuPanel
from tui.runs.live import LiveScreen
from tui.runs.log_pane import LogPane
from tui.runs.record import RunRow
from tui.runs.snapshot import Snapshot
from tui.runs.states import about, left_text, state_text
from tui.runs.sweep_keys import SweepKeys
from tui.runs.sweep_rows import SweepRow, sweeps_of, what_tells_apart
from tui.runs.sweep_table import SweepTable, places_text
from tui.shell.exporting import Sheet
from tui.widgets.key_footer import KeyFooter
from tui.widgets.top_line import TopLine
from tui.widgets.words import Words
from warehouse.text import one_line


class SweepScreen(SweepKeys):
    """The sweep with this id, for as long as the screen is open."""

    TITLE = "Sweep"
    HELP = (
        "The runs of a sweep, each with the place where it is worked on and how often that was begun. On the first "
        "line the keys act on all of them, below on one. A run that is stopped leaves those at work as they are, and "
        "none that waits is begun then: r on the first line takes all of them up, where they were worked on."
    )
    CSS_PATH = "sweep.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "Back", key_display="esc", tooltip="Back to the list of runs"),
        Binding("b", "pane", "GPU/log", show=False, tooltip="GPU or log, where there is no room for both"),
    ]

    def __init__(self, sweep: str) -> None:
        super().__init__()
        self.sweep = sweep
        self.row: SweepRow | None = None

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Words(id="head")
        yield SweepTable(id="pieces")
        with Horizontal(id="below"):
            yield Words(id="places")
            yield LogPane(id="log")
            yield GpuPanel(id="gpu")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one("#places").border_title = "Places"
        self.app.theme_changed_signal.subscribe(self, lambda _: self.query_one(LogPane).write_anew())

    async def resumed(self) -> None:
        await super().resumed()
        if self.is_composed:
            self.query_one(SweepTable).focus()

    def on_screen_suspend(self) -> None:
        if not isinstance(self.app.screen, LiveScreen | ModalScreen):
            self.host.feed.watch(None)

    def chosen(self) -> RunRow | None:
        """The run under the cursor; None on the line for all of them."""
        if self.row is None:
            return None
        chosen = self.query_one(SweepTable).chosen
        return next((piece for piece in self.row.pieces if piece.run_id == chosen), None)

    async def show_snapshot(self, snapshot: Snapshot) -> None:
        if not self.is_current:
            return
        row = sweeps_of(snapshot.runs, snapshot.driven, least=1).get(self.sweep)
        if row is None:
            if snapshot.loaded and self.row is not None:  # its runs were deleted
                self.app.pop_screen()
            return
        self.row = row
        self.query_one("#head", Words).say(self._head(row))
        self.query_one(SweepTable).show(row, self.size.width)
        piece = self.chosen()
        self._show_places(row, piece)
        await self._show_piece(snapshot, row, piece)
        self.update_keys()

    def _show_places(self, row: SweepRow, piece: RunRow | None) -> None:
        places = self.query_one("#places", Words)
        places.display, self.query_one(LogPane).display = piece is None, piece is not None
        if piece is None:
            places.say(places_text(row, self.app.theme_variables))

    async def _show_piece(self, snapshot: Snapshot, row: SweepRow, piece: RunRow | None) -> None:
        """What the run under the cursor said, and the devices of its host; on the line for all, of one at work."""
        watched = piece or row.shown
        self.host.feed.watch(watched.run_id)
        detail = snapshot.detail
        if detail is None or detail.row.run_id != watched.run_id:
            return
        if piece is not None:
            log = self.query_one(LogPane)
            log.border_title = f"Log of {one_line(piece.name)}"
            log.show_of(piece.run_id, detail.log)
        panel, here = self.query_one(GpuPanel), watched.host in (None, node())
        if watched.running and here and snapshot.readings:
            await panel.show(snapshot.readings)
            return
        parts = [] if here else [f"on {watched.host}"]
        parts += [f"as of {datetime.fromtimestamp(detail.readings[-1].t):%H:%M:%S}"] if detail.readings else []
        await panel.show(detail.readings, when=", ".join(parts))

    def _head(self, row: SweepRow) -> Text:
        colours, whole = self.app.theme_variables, row.row()
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(one_line(row.name), style=f"bold {colours['primary']}")
        text.append(f"  {about(whole)}\n")
        text.append_text(state_text(whole, colours))
        text.append(f"  {fmt.bar(whole.share, 16)} {fmt.progress(whole.done, whole.total)}")
        text.append(f" · {fmt.done_of(row.done, len(row.pieces), 'run')}")
        if whole.failed:
            text.append(f" · ✗ {whole.failed} failed", style=colours["loss"])
        if whole.seconds_left is not None:
            text.append(f" · {left_text(whole)} left", style=f"bold {colours['accent']}")
        text.append(f"\n{one_line(row.advice(opened=True))}")
        return text

    def on_data_table_row_highlighted(self) -> None:
        self.call_later(self.pull)

    def on_data_table_row_selected(self) -> None:
        piece = self.chosen()
        if piece is None:
            return
        if piece.state == "damaged":
            self.notify(piece.note, severity="error")
        else:
            self.host.open_run(piece.run_id)

    def on_resize(self) -> None:
        self.query_one("#log").border_subtitle = "b: GPU" if self.size.width < 100 else ""
        self.call_later(self.pull)

    def chosen_sweep(self) -> SweepRow | None:
        """On the first line, where the keys act on all."""
        return self.row if self.is_composed and self.row is not None and self.chosen() is None else None

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_pane(self) -> None:
        self.toggle_class("show-gpu")

    def sheet(self) -> Sheet | None:
        if self.row is None:
            return None
        return Sheet(
            title=f"Sweep {self.row.name}",
            columns=("run", "name", "differs", "levels", "tasks", "state", "done", "failed", "cells", "host", "device",
                     "attempt"),
            rows=tuple(
                (
                    piece.run_id, piece.name, what_tells_apart(piece, self.row.pieces), ", ".join(piece.levels),
                    ", ".join(piece.tasks), str(piece.state), piece.done, piece.failed, piece.total, piece.host,
                    piece.device, piece.attempt,
                )
                for piece in self.row.pieces
            ),
        )  # fmt: skip
