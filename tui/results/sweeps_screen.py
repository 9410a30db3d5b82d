"""Choosing what is shown by the sweep that measured it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.shell.choose import ChooseOne
from tui.shell.choosing import SubjectsScreen
from tui.shell.queries import Question, Rows
from warehouse.read.subjects import MeasuredSweep
from warehouse.text import counted


class SweepsScreen(SubjectsScreen):
    """Shows a sweep's models and methods, also those that it measures later; or what was chosen otherwise."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("W", "sweep", "Sweep", tooltip="Choose a sweep: the models and methods that its runs have scores of"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.sweep: MeasuredSweep | None = None
        self._sweeps: list[MeasuredSweep] = []
        self._wanted: Callable[[], object] | None = None  # what to show once there is a screen

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._sweeps) if action == "sweep" else super().check_action(action, parameters)

    def _offer(self, answers: list[Rows]) -> None:
        super()._offer(answers)
        self.ask("sweeps", [Question("matrix_sweeps")], self._take_sweeps)

    def _take_sweeps(self, answers: list[Rows]) -> None:
        [sweeps] = answers
        if bool(sweeps) != bool(self._sweeps):
            self.call_after_refresh(self.refresh_bindings)
        self._sweeps = sweeps
        if self.sweep is not None:  # its runs may have measured more
            self._show_sweep(next((one for one in sweeps if one.sweep == self.sweep.sweep), self.sweep))

    def action_sweep(self) -> None:
        there = {one.sweep: one for one in self._sweeps}

        def take(sweep: str | None) -> None:
            if sweep:
                self._show_sweep(there[sweep])
            elif sweep is not None:
                self.chose(self.first(self._known))

        options = [("", "All: not by sweep"), *((one.sweep, _choice(one)) for one in self._sweeps)]
        self.app.push_screen(ChooseOne("Sweep to show", options, self.sweep.sweep if self.sweep else ""), take)

    def show_sweep(self, sweep: str, name: str) -> None:
        """The models and methods that a sweep's runs have scores of, and no others."""
        if self._reader is None:  # not mounted yet
            self._wanted = lambda: self.show_sweep(sweep, name)
            return

        def show(answers: list[Rows]) -> None:
            [self._sweeps] = answers
            found = next((one for one in self._sweeps if one.sweep == sweep), None)
            if found is not None:
                self._show_sweep(found)
            else:
                self.notify(f"{name} has no scores to show here yet.")

        self.ask("sweeps", [Question("matrix_sweeps")], show)

    def _show_sweep(self, sweep: MeasuredSweep) -> None:
        def show(answers: list[Rows]) -> None:
            self.chose([row["subject"] for row in answers[0]])
            self.sweep = sweep
            self.draw()

        self.ask("sweep", [Question("sweep_subjects", {"sweep": sweep.sweep})], show)

    def chose(self, subjects: list[str]) -> None:
        self.sweep = None


def _choice(one: MeasuredSweep) -> str:
    runs, models = counted(one.runs, "run"), counted(one.models, "model")
    return f"{one.called} · {runs} with scores · {models} · {one.sweep}"
