"""What the screens about runs share: they pull snapshots, and act on a run without waiting for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen

from tui.runs import actions
from tui.runs.host import RunsHost, runs_host
from tui.runs.record import RunRow
from tui.runs.snapshot import Snapshot
from tui.runs.states import can_resume
from tui.runs.without import unreachable_task
from tui.shell.choose import ChooseOne
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

    def marked(self) -> list[RunRow]:
        """The runs that were marked, which keys act on in place of the chosen one."""
        return []

    def unmark(self) -> None:
        """What was to be done to the marked was begun."""

    def meant(self) -> list[RunRow]:
        """What a key acts on."""
        row = self.chosen()
        return self.marked() or ([row] if row is not None else [])

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
        row, meant = self.chosen(), self.meant()
        match action:
            case "resume":
                return any(map(can_resume, meant))
            case "stop":
                return any(one.running for one in meant)
            case "clone" | "replay":
                return row is not None and row.folder is not None and row.state != "damaged"
        return bool(meant)

    def action_resume(self) -> None:
        meant = self.meant()
        if len(meant) == 1 and (task := unreachable_task(meant[0])) is not None:
            self._ask_about(meant[0], task)
            return
        for row in filter(can_resume, self.meant()):
            self._resume(row)
        self.unmark()

    def _ask_about(self, row: RunRow, task: str) -> None:
        """A task whose data cannot be reached: there may be more to do than to try again."""

        def answered(way: str | None) -> None:
            if way == "again":
                self._resume(row)
            elif way == "without":
                self.host.start_without(row, task)

        ways = [("without", f"Start without it: a new run of the other tasks, named {row.name}"),
                ("again", "Try again: this run, from where it is")]  # fmt: skip
        self.app.push_screen(ChooseOne(f"The data of {task} cannot be reached", ways), answered)

    def _resume(self, row: RunRow) -> None:
        self.host.attempt(lambda: actions.resume(row), lambda _: self.notify(f"Run {row.name} goes on."))

    def action_stop(self) -> None:
        """Ask for it; whoever asks again, and has waited, may have it killed."""
        for row in self.meant():
            if row.running:
                self._stop(row)
        self.unmark()

    def _stop(self, row: RunRow) -> None:
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
        rows = self.meant()
        if running := next((row for row in rows if row.state == RunState.RUNNING), None):
            self.notify(f"Run {running.name} is running: stop it first (x).", severity="warning")
            return

        def gone(_: None) -> None:
            self.notify(f"Run {rows[0].name} is deleted." if len(rows) == 1 else f"{len(rows)} runs are deleted.")
            self.deleted()

        def answered(yes: bool | None) -> None:
            if yes:
                self.host.attempt(lambda: actions.delete(rows, self.host.database), gone, database=True)
                self.unmark()

        if rows:
            title = "Delete a run" if len(rows) == 1 else f"Delete {len(rows)} runs"
            self.app.push_screen(ConfirmScreen(title, self._question(rows), "Delete"), answered)

    def _question(self, rows: Sequence[RunRow]) -> str:
        database = self.host.database.name
        if len(rows) > 1:
            names = "\n".join(f"  {row.name}  ({row.run_id}), {row.done} finished evaluations" for row in rows)
            return f"Delete these runs?\n\n{names}\n\nThis removes their folders and results in {database}, for good."
        (row,) = rows
        holds = f"It has {row.done} finished evaluations. " if row.done else "It has no finished evaluation. "
        if row.origin != "run" and not row.done:
            holds = ""  # measurements of a model
        where = f"its folder {row.folder} and " if row.folder else ""
        return (
            f"Delete the run “{row.name}” ({row.run_id})?\n\n{holds}This removes {where}its results in "
            f"{database}, for good."
        )

    def deleted(self) -> None:
        """The chosen run is gone."""
