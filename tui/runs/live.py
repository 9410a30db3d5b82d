"""What the screens about runs share: they pull snapshots, and act on a run without waiting for it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen

from tui.runs import actions
from tui.runs.host import RunsHost, runs_host
from tui.runs.record import RunRow
from tui.runs.snapshot import Snapshot
from tui.runs.states import can_resume
from tui.shell.confirm import ConfirmScreen
from tui.widgets.key_footer import KeyFooter
from warehouse.records.run_state import RunState


class LiveScreen(Screen[None]):
    """A screen that shows runs. `chosen` is the run that its keys act on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resume", "Resume", tooltip="Start it, take it up again, or retry what failed"),
        Binding("x", "stop", "Stop", tooltip="Stop the run after its current batch"),
        Binding("c", "clone", "Clone", tooltip="A new run with the same choices, to change and start"),
        Binding("d,delete", "delete", "Delete", key_display="d", tooltip="Delete the run (asks first)"),
        Binding("R", "replay", "Replay", tooltip="Play the run back from its journal"),
    ]

    _keys_for: tuple[str, str] | None = None

    @property
    def host(self) -> RunsHost:
        return runs_host(self)

    def chosen(self) -> RunRow | None:
        raise NotImplementedError

    async def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw what has changed."""
        raise NotImplementedError

    def update_keys(self) -> None:
        """Offer the keys that make sense now. The footer is built anew, so only when something has changed."""
        row = self.chosen()
        now = (row.run_id, row.state) if row is not None else None
        if now != self._keys_for:
            self._keys_for = now
            self.refresh_bindings()

    async def on_screen_resume(self) -> None:
        await self.resumed()

    async def resumed(self) -> None:
        """The screen is on top (again)."""
        await self.pull()

    async def pull(self) -> None:
        """Draw the newest snapshot, if the screen's widgets are there to draw it."""
        if not self.is_composed:
            return
        try:
            await self.show_snapshot(self.host.feed.snapshot)
        except NoMatches:
            if self.is_composed:
                raise
            # The screen was closed while it drew.

    @property
    def is_composed(self) -> bool:
        """Whether its widgets are there, theirs too: not before it is mounted, no more while it closes."""
        return self.is_mounted and self.is_attached and not self._pruning and bool(self.query(KeyFooter))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action not in ("resume", "stop", "clone", "delete", "replay"):
            return True
        row = self.chosen()
        match action:
            case "resume":
                return row is not None and can_resume(row)
            case "stop":
                return row is not None and row.running
            case "clone" | "replay":
                return row is not None and row.folder is not None and row.state != "damaged"
        return row is not None

    def action_resume(self) -> None:
        if (row := self.chosen()) is not None:
            self.host.attempt(lambda: actions.resume(row), lambda _: self.notify(f"Run {row.name} goes on."))

    def action_stop(self) -> None:
        """Ask for it; whoever asks again, and has waited, may have it killed."""
        if (row := self.chosen()) is None:
            return
        if (worker := self.host.asked_to_stop.get(row.run_id)) is None or not worker.is_alive():
            self.host.attempt(lambda: actions.stop(row), lambda worker: self.host.await_stop(row.name, worker))
            return

        def answered(yes: bool | None) -> None:
            if yes:
                said = f"Run {row.name} was killed: what it recorded is kept, and r takes it up again."
                self.host.attempt(worker.kill, lambda _: self.notify(said))

        question = (
            f"Run {row.name} was asked to stop, and works on: {worker.why()}.\n\nKill it? What it recorded is kept; "
            "the evaluation that it is at is begun again by Resume."
        )
        self.app.push_screen(ConfirmScreen("Stop a run", question, "Kill"), answered)

    def action_clone(self) -> None:
        if (row := self.chosen()) is not None and row.folder is not None:
            self.host.new_run_like(row.folder)

    def action_replay(self) -> None:
        if (row := self.chosen()) is not None and row.folder is not None:
            self.host.open_replay(row.folder)

    def action_delete(self) -> None:
        row = self.chosen()
        if row is None:
            return
        if row.state == RunState.RUNNING:
            self.notify(f"Run {row.name} is running: stop it first (x).", severity="warning")
            return
        holds = f"It has {row.done} finished evaluations. " if row.done else "It has no finished evaluation. "
        if row.origin != "run" and not row.done:
            holds = ""  # measurements of a model
        where = f"its folder {row.folder} and " if row.folder else ""
        question = (
            f"Delete the run “{row.name}” ({row.run_id})?\n\n{holds}This removes {where}its results in "
            f"{self.host.database.name}, for good."
        )

        def gone(_: None) -> None:
            self.notify(f"Run {row.name} is deleted.")
            self.deleted()

        def answered(yes: bool | None) -> None:
            if yes:
                self.host.attempt(lambda: actions.delete(row, self.host.database), gone, database=True)

        self.app.push_screen(ConfirmScreen("Delete a run", question, "Delete"), answered)

    def deleted(self) -> None:
        """The chosen run is gone."""
