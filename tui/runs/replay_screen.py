"""A finished run, played back: the Run screen, on a clock of its own."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from engine.errors import UserError
from tui import format as fmt
from tui.runs.record import RunDetail
from tui.runs.replay import RECORDING, Replay
from tui.runs.run_grid import RunGrid
from tui.runs.run_screen import RunScreen
from tui.runs.snapshot import Snapshot
from tui.shell.exporting import Sheet

_SPEEDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0)
_TICK = 0.25
_SAYS_RECORDING = "A RECORDING of the demo, from another machine: nothing runs here. esc leaves."
_LONG = 90.0  # seconds that a replay may last where nobody chose its speed


class ReplayScreen(RunScreen):
    TITLE = "Replay"
    HELP = "A run as it went, from its journal. Nothing is measured again, and nothing is changed."
    CSS = "ReplayScreen #recording { background: $accent; color: $background; text-style: bold; padding: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,p", "play", "Play/pause"),
        Binding("plus,equals_sign", "speed(1)", "Faster", key_display="+"),
        Binding("minus", "speed(-1)", "Slower", key_display="-"),
        Binding("left_square_bracket", "seek(-0.05)", "Back 5%", key_display="["),
        Binding("right_square_bracket", "seek(0.05)", "On 5%", key_display="]"),
        Binding("home", "seek(-1.0)", "Start", show=False, priority=True, tooltip="To the beginning"),
        Binding("end", "seek(1.0)", "End", show=False, priority=True, tooltip="To the end"),
    ]

    def __init__(self, folder: Path, *, speed: float | None = None) -> None:
        super().__init__(folder.name)
        self._folder = folder
        self._is_recording = folder == RECORDING
        self._speed = speed or 1.0
        self._chosen_speed = speed is not None
        self._replay: Replay | None = None
        self._playing = True
        self._last = time.monotonic()
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        if self._is_recording:
            yield Static(_SAYS_RECORDING, id="recording")
        yield Static(id="clock")
        yield from super().compose()

    def on_mount(self) -> None:
        self._load()

    async def resumed(self) -> None:
        self._last = time.monotonic()
        if self.is_composed:
            self.query_one(RunGrid).focus()

    def unwatch(self) -> None:
        """The feed was not asked for this run."""

    async def show_snapshot(self, snapshot: Snapshot) -> None:
        """The feed's news are not shown here."""

    def sheet(self) -> Sheet | None:
        sheet = super().sheet()
        # A recording's run is in no database.
        return replace(sheet, sql=None) if sheet is not None and self._is_recording else sheet

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in ("resume", "stop", "delete", "replay")

    def _now(self, detail: RunDetail) -> list[Text]:
        row = detail.row
        if row.running and row.current is None and not detail.stages:
            return [Text(f"Then: {row.stage or 'between two evaluations'}.")]
        return super()._now(detail) if row.running else [Text(f"It ended here: {row.state}.")]

    @work(thread=True, exit_on_error=False)
    def _load(self) -> None:
        try:
            replay = Replay(self._folder)
            replay.move(0.0)
            replay.detail()
        except (UserError, OSError, KeyError) as error:
            self.app.call_from_thread(self._refuse, str(error))
            return
        self.app.call_from_thread(self._begin, replay)

    def _refuse(self, problem: str) -> None:
        self.notify(problem, severity="error", timeout=10)
        self.action_back()

    def _begin(self, replay: Replay) -> None:
        self._replay = replay
        if not self._chosen_speed:
            fast_enough = (speed for speed in _SPEEDS if speed >= 1.0 and replay.length / speed <= _LONG)
            self._speed = next(fast_enough, _SPEEDS[-1])
        self._last = time.monotonic()
        self.set_interval(_TICK, self._tick)

    async def _tick(self) -> None:
        now = time.monotonic()
        passed, self._last = now - self._last, now
        if self.is_current and self._playing and self._replay is not None and not self._replay.at_end:
            self._replay.move(passed * self._speed)
        await self._draw()

    async def _draw(self) -> None:
        replay = self._replay
        if replay is None:
            return
        state = (replay.position, self._playing, self._speed)
        if state == self._drawn:
            return
        self._drawn = state
        await self.show_detail(replay.detail())
        mark = "■ end" if replay.at_end else "▶ playing" if self._playing else "‖ paused"
        share = replay.position / replay.length if replay.length else 1.0
        self.query_one("#clock", Static).update(
            Text(
                f"replay {mark} ×{self._speed:g}  {fmt.bar(share, 24)}  "
                f"{fmt.duration(replay.position)} of {fmt.duration(replay.length)}",
                style="bold",
                no_wrap=True,
            )
        )

    def action_play(self) -> None:
        if self._replay is not None and self._replay.at_end:
            self._replay.move(-self._replay.length)
            self._playing = True
        else:
            self._playing = not self._playing

    def action_speed(self, step: int) -> None:
        nearest = min(range(len(_SPEEDS)), key=lambda index: abs(_SPEEDS[index] - self._speed))
        self._speed = _SPEEDS[min(max(nearest + step, 0), len(_SPEEDS) - 1)]

    async def action_seek(self, share: float) -> None:
        if self._replay is not None:
            self._replay.move(share * self._replay.length)
            await self._draw()
