"""The keys of runs, on a line that stands for all runs of a sweep."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.runs import sweep_actions
from tui.runs.live import LiveScreen
from tui.runs.sweep_rows import SweepRow
from tui.shell.confirm import ConfirmScreen
from warehouse.records.run_state import RunState
from warehouse.text import counted


class SweepKeys(LiveScreen):
    """A screen where a whole sweep may be under the cursor; `chosen` is None then."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("W", "results", "Results", tooltip="Results, of what the sweep's runs have scores of"),
    ]

    def chosen_sweep(self) -> SweepRow | None:
        raise NotImplementedError

    def _meant_sweep(self) -> SweepRow | None:
        """What a key acts on, unless runs are marked: then those."""
        return None if self.marked() else self.chosen_sweep()

    def update_keys(self) -> None:
        if (row := self.chosen_sweep()) is None:
            super().update_keys()
        elif (now := (row.sweep, row.state)) != self._keys_for:
            self._keys_for = now
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "results":
            return self._meant_sweep() is not None
        if action not in ("resume", "stop", "clone", "delete", "replay"):
            return super().check_action(action, parameters)
        if (row := self._meant_sweep()) is None:
            return super().check_action(action, parameters)
        running = row.state == RunState.RUNNING
        if action == "stop":
            return running
        if action == "resume":
            return not running and row.state != RunState.FINISHED
        return action == "delete" and not running

    def action_results(self) -> None:
        if (row := self._meant_sweep()) is not None:
            self.host.show_results_of_sweep(row.sweep, row.name)

    def action_resume(self) -> None:
        if (row := self._meant_sweep()) is None:
            super().action_resume()
            return
        database, said = self.host.database, f"Sweep {row.name} goes on."
        self.notify(f"Sweep {row.name} is taken up …", timeout=3)
        self.host.attempt(lambda: sweep_actions.resume(row, database), lambda _: self.notify(said))

    def action_stop(self) -> None:
        if (row := self._meant_sweep()) is None:
            super().action_stop()
            return
        database = self.host.database
        said = f"Sweep {row.name} stops: its runs after their current batch, and no other is begun."
        self.host.attempt(lambda: sweep_actions.stop(row, database), lambda _: self.notify(said))

    def action_delete(self) -> None:
        if (row := self._meant_sweep()) is None:
            super().action_delete()
            return
        database, said = self.host.database, f"Sweep {row.name} is deleted."
        question = (
            f"Delete the sweep “{row.name}” ({row.sweep})?\n\nIt has {counted(row.row().done, 'finished evaluation')}. "
            f"This removes its {counted(len(row.pieces), 'run')}, their folders and their results in {database.name}, "
            "for good."
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.host.attempt(
                    lambda: sweep_actions.delete(row, database), lambda _: self.notify(said), database=True
                )

        self.app.push_screen(ConfirmScreen("Delete a sweep", question, "Delete"), answered)
